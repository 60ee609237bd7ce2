import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { eventually } from '@sidekit/test-kit';
import { applyPod } from '../engine/index.ts';

test('a changed ConfigMap reaches an application by SIGHUP, without a restart', async () => {
  await using session = await applyPod('reload-by-signal');
  await session.ready('reload-by-signal');
  const get = () => session.http('reload-by-signal', 5000, '/settings');
  const first = await get();
  assert.equal(first.body.trim(), 'greeting = Hello');
  assert.equal(first.headers.get('x-loads'), '1', 'no signal before the first change');

  const manifest = readFileSync('manifests/pods/reload-by-signal.yaml', 'utf8');
  await session.reapply(manifest.replace('greeting = Hello', 'greeting = Goodbye'));
  // The kubelet updates a changed ConfigMap within its sync period, a minute or more.
  await eventually(async () => (await get()).body.trim() === 'greeting = Goodbye', {
    what: 'the new settings',
    timeout: 180_000,
    interval: 500,
  });
  const { status } = await session.status('reload-by-signal');
  for (const one of [
    ...(status.containerStatuses ?? []),
    ...(status.initContainerStatuses ?? []),
  ]) {
    assert.equal(one.restartCount, 0, one.name);
  }
});
