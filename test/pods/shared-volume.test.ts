import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '@sidekit/test-kit';
import { applyPod } from '../engine/index.ts';

const DATE = /^[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d UTC \d{4}$/;

test('one container serves the lines that the other writes each second, all of them complete', async () => {
  await using session = await applyPod('shared-volume');
  await session.ready('mc1');
  const page = async () => (await session.http('mc1', 8080, '/index.html')).body;
  const lines = async () => (await page()).trim().split('\n');
  const first = await lines();
  await eventually(async () => (await lines()).length >= first.length + 3, {
    what: 'three more lines',
    interval: 200,
  });
  const all = await lines();
  for (const line of all) assert.match(line, DATE);
  assert.deepEqual(all.slice(0, first.length), first, 'lines are added, not replaced');
});
