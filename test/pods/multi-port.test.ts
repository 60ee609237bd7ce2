import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { eventually } from '@sidekit/test-kit';
import { applyPod } from '../engine/index.ts';

test('two applications of one Pod answer on two ports and on the paths of a third, and a changed file is taken up', async () => {
  await using session = await applyPod('multi-port');
  await session.ready('multi-port');
  for (const port of [8080, 8081]) {
    const { status, body } = await session.http('multi-port', port, '/');
    assert.equal(status, 200);
    assert.match(body, /Hello from/);
  }
  for (const [path, status] of [
    ['/shop/echo', 200],
    ['/office/echo', 413],
    ['/neither', 404],
  ] as const) {
    const init = { method: 'POST', body: 'x'.repeat(2048) };
    const got = await session.http('multi-port', 8082, path, init);
    assert.equal(got.status, status, path);
    // The application sees the path without the prefix.
    if (status === 200) assert.match(got.body, /x-forwarded-prefix/i);
  }
  const manifest = readFileSync('manifests/pods/multi-port.yaml', 'utf8');
  await session.reapply(
    manifest.replace('        rateLimit: 100\n', '        rateLimit: 100\n        maxBody: 10B\n'),
  );
  // The kubelet brings a changed ConfigMap within its sync period, a minute or more.
  const post = () =>
    session.http('multi-port', 8081, '/echo', { method: 'POST', body: 'more than ten bytes' });
  await eventually(async () => (await post()).status === 413, {
    what: 'the new limit',
    timeout: 180_000,
    interval: 500,
  });
  assert.equal((await session.http('multi-port', 8080, '/')).status, 200);
});
