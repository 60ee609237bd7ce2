import assert from 'node:assert/strict';
import { test } from 'node:test';
import { propertyParameters, temporaryDirectory } from '@sidekit/test-kit';
import fc from 'fast-check';
import { HandDriven } from '../testing/hand-driven.ts';
import { LossModel, type Setting, STEP_KINDS, type Step } from '../testing/loss-model.ts';
import { RealProcess } from '../testing/real-process.ts';
import { Receiver } from '../testing/receiver.ts';

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('write' as const),
      lines: fc.integer({ min: 1, max: 40 }),
    }),
  },
  { weight: 3, arbitrary: fc.constant({ kind: 'poll' } as const) },
  {
    weight: 8,
    arbitrary: fc
      .constantFrom(...STEP_KINDS.filter((kind) => kind !== 'write'))
      .map((kind) => ({ kind }) as Step),
  },
);

let next = 0;

/** Runs sequences of up to `longest` steps; a failure is shrunk to the shortest that fails. */
async function check(setting: Setting, runs: number, longest: number): Promise<void> {
  const { receiver } = setting;
  let steps = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 1, maxLength: longest, size: 'max' }),
      fc.boolean(),
      async (sequence, sameHead) => {
        using directory = temporaryDirectory('loss');
        receiver.requests.length = 0;
        receiver.down = false;
        next += 1_000_000;
        steps += sequence.length;
        const model = new LossModel(directory.path, setting, sameHead, next % 900_000_000);
        try {
          for (const one of sequence) await model.run(one);
          assert.deepEqual(await model.verdict(), []);
        } finally {
          await model.end();
        }
      },
    ),
    propertyParameters(runs),
  );
  console.log(`# ${steps} steps`);
}

test('whatever happens to a log and its reader, no line is lost, and none comes again once it is acknowledged', async () => {
  await using receiver = await Receiver.start();
  const start: Setting['start'] = (directory, live, clock) =>
    new HandDriven(
      directory,
      {
        include: [live],
        output: [receiver.url],
        batchBytes: 1024,
        bufferBytes: 4096,
        partialFlush: '5s',
      },
      clock,
    );
  await check({ receiver, start, exact: true }, 25, 60);
});

test('whatever happens to a log and a real process that is killed and started again, no line is lost', async () => {
  await using receiver = await Receiver.start();
  const start: Setting['start'] = (directory, live) =>
    new RealProcess(directory, live, receiver.url);
  await check({ receiver, start, exact: false }, 3, 40);
});
