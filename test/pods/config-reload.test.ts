import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { eventually } from '@sidekit/test-kit';
import { applyPod } from '../engine/index.ts';

test('a changed ConfigMap reaches the running application, which is notified and not restarted', async () => {
  await using session = await applyPod('config-reload');
  await session.ready('config-reload');
  const get = (path: string) => session.http('config-reload', 5000, path);
  assert.equal((await get('/page.txt')).body.trim(), 'Hello from config-reload: red green');
  assert.equal(
    (await get('/sink')).headers.get('x-received'),
    '0',
    'not notified of the first page',
  );

  const manifest = readFileSync('manifests/pods/config-reload.yaml', 'utf8');
  await session.reapply(
    manifest.replace('greeting: Hello', 'greeting: Goodbye').replace('[red, green]', '[blue]'),
  );
  // The kubelet updates a changed ConfigMap within its sync period, a minute or more.
  const late = { timeout: 180_000, interval: 500 };
  await eventually(
    async () => (await get('/page.txt')).body.trim() === 'Goodbye from config-reload: blue',
    {
      what: 'the new page',
      ...late,
    },
  );
  await eventually(async () => (await get('/sink')).headers.get('x-received') === '1', {
    what: 'the notification',
    ...late,
  });
  const { status } = await session.status('config-reload');
  for (const one of [
    ...(status.containerStatuses ?? []),
    ...(status.initContainerStatuses ?? []),
  ]) {
    assert.equal(one.restartCount, 0, one.name);
  }
});
