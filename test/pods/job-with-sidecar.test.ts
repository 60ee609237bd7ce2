import assert from 'node:assert/strict';
import { test } from 'node:test';
import { applyPod } from '../engine/index.ts';

test('the Job completes when its main container has, and its sidecar is stopped after it', async () => {
  await using session = await applyPod('job-with-sidecar');
  const { status } = await session.completed('job-with-sidecar');
  assert.equal(status.phase, 'Succeeded');
  const [loader] = status.containerStatuses ?? [];
  assert.equal(loader?.state.terminated?.exitCode, 0);
  const [proxy] = status.initContainerStatuses ?? [];
  assert.ok(proxy?.state.terminated, 'the sidecar has ended, too');
  assert.equal(proxy.restartCount, 0);
  const log = await session.finalLog('job-with-sidecar', 'proxy');
  assert.match(log, /"path":"\/echo\?job=1"/, 'the loader went through the sidecar');
  assert.match(log, /"signal":"SIGTERM"/, 'which ended only on SIGTERM');
});
