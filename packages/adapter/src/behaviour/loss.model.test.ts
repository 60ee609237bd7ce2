import assert from 'node:assert/strict';
import { test } from 'node:test';
import { propertyParameters, temporaryDirectory } from '@sidekit/test-kit';
import fc from 'fast-check';
import { HandDriven } from '../testing/hand-driven.ts';
import { LossModel, type Setting, STEP_KINDS, type Step } from '../testing/loss-model.ts';
import { otlpRecords } from '../testing/otlp-record.ts';
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
    weight: 12,
    arbitrary: fc
      .constantFrom(...STEP_KINDS.filter((kind) => kind !== 'write'))
      .map((kind) => ({ kind }) as Step),
  },
);

/** How the lines are written and sent on. */
const manner = fc.record({
  sameHead: fc.boolean(),
  json: fc.boolean(),
  otlp: fc.boolean(),
});
type Manner = typeof manner extends fc.Arbitrary<infer T> ? T : never;

let next = 0;

/** Runs sequences of up to `longest` steps; a failure is shrunk to the shortest that fails. */
async function check(
  receiver: Receiver,
  settingFor: (manner: Manner) => Pick<Setting, 'start' | 'exact'>,
  runs: number,
  longest: number,
): Promise<void> {
  let steps = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 1, maxLength: longest, size: 'max' }),
      manner,
      async (sequence, manner) => {
        using directory = temporaryDirectory('loss');
        receiver.requests.length = 0;
        next += 1_000_000;
        steps += sequence.length;
        const records = () => (manner.otlp ? otlpRecords(receiver.requests) : receiver.records);
        const setting = { ...settingFor(manner), receiver, records };
        const options = { ...manner, first: next % 900_000_000 };
        const model = new LossModel(directory.path, setting, options);
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

/** The options of the adapter, as in its configuration file. */
function optionsFor(live: string, receiver: Receiver, { json, otlp }: Manner) {
  return {
    include: [live],
    format: json ? 'json' : 'raw',
    rotatedDir: ['old'],
    // The hangs of a receiver end soon, but a response is in time where a process waits for its turn.
    outputs: [{ to: `${otlp ? 'otlp:' : ''}${receiver.url}`, timeout: '500ms' }],
    // What a deleted file holds must be delivered before a stop ends, however slow the machine is.
    gracePeriod: '2m',
    refused: 'park',
    // An encoding keeps room for what goes around its records.
    batchBytes: otlp ? 6144 : 2048,
    bufferBytes: 8192,
  };
}

test('whatever happens to a log, its reader and its receiver, no line is lost, and none comes again once it is acknowledged', async () => {
  await using receiver = await Receiver.start();
  const settingFor = (manner: Manner) => ({
    start: (directory: string, live: string, clock: { now: number }) =>
      new HandDriven(
        directory,
        { ...optionsFor(live, receiver, manner), partialFlush: '5s' },
        clock,
      ),
    exact: true,
  });
  await check(receiver, settingFor, 25, 60);
});

test('whatever happens to a log and a real process that is killed and started again, no line is lost', async () => {
  await using receiver = await Receiver.start();
  const settingFor = (manner: Manner) => ({
    start: (directory: string, live: string) =>
      new RealProcess(directory, optionsFor(live, receiver, manner)),
    exact: false,
  });
  await check(receiver, settingFor, 3, 40);
});
