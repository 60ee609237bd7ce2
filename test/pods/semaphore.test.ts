import assert from 'node:assert/strict';
import { test } from 'node:test';
import { applyPod } from '../engine/index.ts';
import { linesAfter } from '../engine/lines.ts';

test('a container that is killed with the semaphore leaves it to the other one', async () => {
  await using session = await applyPod('semaphore');
  await session.logged('semaphore', 'second', /another process has it/);
  const { status } = await session.completed('semaphore');
  assert.equal(status.phase, 'Succeeded');
  const second = await session.finalLog('semaphore', 'second');
  assert.deepEqual(linesAfter(second, 'the second one '), ['has its turn']);
  const restarts = new Map(
    (status.containerStatuses ?? []).map(({ name, restartCount }) => [name, restartCount]),
  );
  assert.ok((restarts.get('first') ?? 0) >= 1, 'the first one was killed');
  assert.equal(restarts.get('second'), 0);
});
