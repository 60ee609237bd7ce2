import assert from 'node:assert/strict';
import { test } from 'node:test';
import { propertyParameters, temporaryDirectory } from '@sidekit/test-kit';
import fc from 'fast-check';
import { LossModel, STEP_KINDS, type Step } from './test-support/loss-model.ts';
import { Receiver } from './test-support/receiver.ts';

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('write' as const),
      lines: fc.integer({ min: 1, max: 40 }),
    }),
  },
  { weight: 3, arbitrary: fc.constant({ kind: 'look' } as const) },
  {
    weight: 8,
    arbitrary: fc
      .constantFrom(...STEP_KINDS.filter((kind) => kind !== 'write'))
      .map((kind) => ({ kind }) as Step),
  },
);

test('whatever happens to a log and its reader, no line is lost, and none comes again once it is acknowledged', async () => {
  await using receiver = await Receiver.start();
  let next = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 1, maxLength: 60, size: 'max' }),
      fc.boolean(),
      async (steps, sameHead) => {
        using directory = temporaryDirectory('loss');
        receiver.requests.length = 0;
        receiver.down = false;
        next += 1_000_000;
        const model = new LossModel(directory.path, receiver, sameHead, next % 900_000_000);
        for (const one of steps) await model.run(one);
        assert.deepEqual(await model.verdict(), []);
      },
    ),
    propertyParameters(25),
  );
});
