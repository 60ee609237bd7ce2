import assert from 'node:assert/strict';
import { test } from 'node:test';
import { applyPod } from '../engine/index.ts';
import { linesAfter } from '../engine/lines.ts';

test('what the producer puts into the ring, the consumer takes out, in order, then done', async () => {
  await using session = await applyPod('shared-memory');
  const { status } = await session.completed('shared-memory');
  assert.equal(status.phase, 'Succeeded');
  const produced = linesAfter(await session.finalLog('shared-memory', 'producer'), 'Produced: ');
  const consumed = linesAfter(await session.finalLog('shared-memory', 'consumer'), 'Consumed: ');
  assert.equal(produced.length, 5001);
  assert.equal(produced.at(-1), 'done');
  assert.deepEqual(consumed, produced);
  assert.match(await session.finalLog('shared-memory', 'await-ring'), /shm:\/records: there/);
  for (const container of status.containerStatuses ?? []) {
    assert.equal(container.restartCount, 0, `${container.name} was not restarted`);
    assert.equal(container.state.terminated?.exitCode, 0);
  }
});
