import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { propertyParameters, temporaryDirectory } from '@sidekit/test-kit';
import { BATCH, type Outcome, type Share } from '../testing/lane-comparison.worker.ts';

/**
 * Both lanes on generated requests, good and mangled. The short form runs some thousands;
 * SIDEKIT_RUNS=250 makes a million.
 */
const REQUESTS = 4000;

test('both lanes give the same bytes, upstream and downstream, for any request', async (t) => {
  const { seed = Date.now() % 2 ** 31, numRuns = 0 } = propertyParameters(REQUESTS / BATCH);
  using directory = temporaryDirectory('lanes');
  // Threads avoid the test runner's hooks on every asynchronous step.
  const workers = Math.min(4, availableParallelism());
  const outcomes = await Promise.all(
    Array.from({ length: workers }, (_, i) => {
      const own = `${directory.path}/${i}`;
      mkdirSync(own);
      return run({ seed: seed + i, batches: Math.ceil(numRuns / workers), directory: own });
    }),
  );
  const sum = (key: keyof Outcome) => outcomes.reduce((total, one) => total + one[key], 0);
  const [requests, forwarded] = [sum('requests'), sum('forwarded')];
  t.diagnostic(
    `${requests} requests, ${forwarded} forwarded, seeds ${seed} to ${seed + workers - 1}`,
  );
  assert.ok(requests >= numRuns * BATCH);
  // A generator of only invalid requests would prove nothing.
  assert.ok(forwarded > requests / 5 && forwarded < requests, `${forwarded} of ${requests}`);
});

/** Does a share of the work in a thread. */
function run(share: Share): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('../testing/lane-comparison.worker.ts', import.meta.url), {
      workerData: share,
    });
    worker.once('message', resolve);
    worker.once('error', reject);
    worker.once('exit', (code) => reject(new Error(`the worker ended with ${code}`)));
  });
}
