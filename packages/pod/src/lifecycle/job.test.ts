import assert from 'node:assert/strict';
import { test } from 'node:test';
import { propertyParameters } from '@sidekit/test-kit';
import fc from 'fast-check';
import { afterFailure, type JobState } from './job.ts';

const JOB = { backoffLimit: 6, deadline: Number.POSITIVE_INFINITY, backoffBase: 10_000 };

/** Runs a Job whose every Pod fails after `runs` ms: when each began, and why the Job failed. */
function failing(job: Omit<JobState, 'failures'>, runs: number) {
  const begun: number[] = [];
  let now = 0;
  for (;;) {
    begun.push(now);
    const step = afterFailure({ ...job, failures: begun.length }, now + runs);
    if (step.type === 'fail') return { begun, reason: step.reason };
    now = step.at;
  }
}

test('a failed Pod is replaced after 10 s, doubling, backoffLimit times', () => {
  assert.deepEqual(failing({ ...JOB, backoffLimit: 3 }, 1000), {
    begun: [0, 11_000, 32_000, 73_000],
    reason: 'BackoffLimitExceeded',
  });
  assert.deepEqual(failing({ ...JOB, backoffLimit: 0 }, 1000).begun, [0]);
});

test('the pause between Pods grows to six minutes and no further', () => {
  const { begun } = failing({ ...JOB, backoffLimit: 8 }, 0);
  const pauses = begun.slice(1).map((at, index) => (at - (begun[index] ?? 0)) / 1000);
  assert.deepEqual(pauses, [10, 20, 40, 80, 160, 320, 360, 360]);
});

test('the deadline of a Job ends its tries, also one that would begin after it', () => {
  assert.deepEqual(failing({ ...JOB, deadline: 25_000 }, 1000), {
    begun: [0, 11_000],
    reason: 'DeadlineExceeded',
  });
});

test('no Job has more Pods than its limit allows, nor one that begins after its deadline', () => {
  fc.assert(
    fc.property(
      fc.nat(20),
      fc.integer({ min: 1, max: 3_600_000 }),
      fc.integer({ min: 1, max: 60_000 }),
      fc.nat(600_000),
      (backoffLimit, deadline, backoffBase, runs) => {
        const { begun } = failing({ backoffLimit, deadline, backoffBase }, runs);
        assert.ok(begun.length <= backoffLimit + 1);
        assert.ok(begun.every((at) => at < deadline));
      },
    ),
    propertyParameters(200),
  );
});
