import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '@sidekit/test-kit';
import { applyPod } from '../engine/index.ts';

const NODE = '/nodejs/bin/node';

test('every sidecar does its part in one Pod', async () => {
  await using session = await applyPod('everything');
  const { status } = await session.ready('everything');
  assert.deepEqual(
    status.initContainerStatuses?.map(({ name }) => name),
    ['await-warehouse', 'writer', 'adapter', 'producer', 'consumer', 'proxy'],
  );

  const page = await session.http('everything', 8080, '/');
  assert.match(page.body, /UTC/, 'the page of the writer');
  assert.ok(page.headers.get('x-request-id'), 'through the ambassador');

  const post = `fetch('http://127.0.0.1:8181/', { method: 'POST', body: 'order 7' }).then(({ status }) => console.log(status))`;
  const { stdout, stderr } = await session.exec('everything', 'web', [NODE, '-e', post]);
  assert.equal(stdout.trim(), '202', stderr);
  await eventually(
    async () => (await session.http('everything', 8080, '/sink')).body.includes('order 7'),
    { what: 'the record at the application' },
  );

  await session.logged('everything', 'adapter', /"method":"POST","path":"\/sink"/);
});
