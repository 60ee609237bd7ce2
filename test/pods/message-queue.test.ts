import assert from 'node:assert/strict';
import { test } from 'node:test';
import { applyPod } from '../engine/index.ts';
import { linesAfter } from '../engine/lines.ts';

test('what the producer puts into the queue, the consumer takes out, in order, then done', async () => {
  await using session = await applyPod('message-queue');
  const { status } = await session.completed('message-queue');
  assert.equal(status.phase, 'Succeeded');
  const produced = linesAfter(await session.finalLog('message-queue', 'producer'), 'Produced: ');
  const consumed = linesAfter(await session.finalLog('message-queue', 'consumer'), 'Consumed: ');
  assert.equal(produced.at(-1), 'done');
  assert.ok(produced.length > 100, `${produced.length} records were produced`);
  assert.deepEqual(consumed, produced);
  for (const container of status.containerStatuses ?? []) {
    assert.equal(container.restartCount, 0, `${container.name} was not restarted`);
    assert.equal(container.state.terminated?.exitCode, 0);
  }
});
