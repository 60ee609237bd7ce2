import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { eventually } from '@sidekit/test-kit';
import { applyPod } from '../engine/index.ts';

test('the plan reloads the application with the worker paused, and orders the stop', async () => {
  await using session = await applyPod('coordinator');
  await session.ready('coordinator');
  const settings = () => session.http('coordinator', 5000, '/settings');
  assert.equal((await settings()).body.trim(), 'greeting = Hello');

  const manifest = readFileSync('manifests/pods/coordinator.yaml', 'utf8');
  await session.reapply(manifest.replace('greeting = Hello', 'greeting = Goodbye'));
  // The kubelet updates a changed ConfigMap within its sync period, a minute or more.
  await eventually(async () => (await settings()).body.trim() === 'greeting = Goodbye', {
    what: 'the new settings',
    timeout: 180_000,
    interval: 500,
  });
  const log = await session.logged('coordinator', 'coordinator', /"event":"sequence_succeeded"/);
  const steps = [...log.matchAll(/"event":"step_succeeded".*?"step":"([\w-]+)"/g)];
  assert.deepEqual(
    steps.map(([, name]) => name),
    ['pause-worker', 'reload-app', 'app-answers', 'resume-worker'],
  );
  // A worker that stayed paused would not answer its probe.
  const { status } = await session.ready('coordinator');
  for (const one of [
    ...(status.containerStatuses ?? []),
    ...(status.initContainerStatuses ?? []),
  ]) {
    assert.equal(one.restartCount, 0, one.name);
  }

  const removed = session.remove('coordinator');
  await session.when('coordinator', 'has stopped the worker before the app', ({ status }) => {
    const of = (name: string) => status.containerStatuses?.find((one) => one.name === name)?.state;
    const [worker, app] = [of('worker')?.terminated, of('app')];
    if (worker?.exitCode !== 0 || app === undefined) return false;
    // A kubelet reports the states of a Pod that terminates only when all of them have ended.
    const { running, terminated: { finishedAt = '' } = {} } = app;
    return running !== undefined || (worker.finishedAt ?? '') < finishedAt;
  });
  await removed;
});
