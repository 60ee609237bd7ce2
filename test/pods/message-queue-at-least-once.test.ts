import assert from 'node:assert/strict';
import { test } from 'node:test';
import { applyPod } from '../engine/index.ts';
import { linesAfter } from '../engine/lines.ts';

test('with a journal and acknowledgements every record arrives once, in order, then done', async () => {
  await using session = await applyPod('message-queue-at-least-once');
  const name = 'message-queue-at-least-once';
  const { status } = await session.completed(name);
  assert.equal(status.phase, 'Succeeded');
  const produced = linesAfter(await session.finalLog(name, 'producer'), 'Produced: ');
  const consumed = linesAfter(await session.finalLog(name, 'consumer'), 'Consumed: ');
  assert.equal(produced.length, 501);
  assert.equal(produced.at(-1), 'done');
  assert.deepEqual(consumed, produced);
});
