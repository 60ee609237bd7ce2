import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '@sidekit/test-kit';
import { applyPod } from '../engine/index.ts';

test('a commit appears on the page, and an outage of the git server keeps the page', async () => {
  await using session = await applyPod('git-sync');
  await session.ready('git-sync');
  const page = async () => (await session.http('git-sync', 5000, '/site/index.html')).body;
  assert.match(await page(), /Hello from a commit/);

  const path = '/site.git/files/index.html';
  const put = await session.http('git-server', 8081, path, { method: 'PUT', body: 'a new commit' });
  assert.equal(put.status, 201);
  await eventually(async () => (await page()) === 'a new commit', {
    what: 'the new commit on the page',
    interval: 100,
  });

  await session.remove('git-server');
  const admin = async (path: string) => (await session.http('git-sync', 9903, path)).body;
  await eventually(
    async () => (await admin('/metrics')).includes('file_writer_failing{target="/html/site"} 1'),
    {
      what: 'the metric of the outage',
      interval: 200,
    },
  );
  assert.equal(JSON.parse(await admin('/readyz')).status, 'ok');
  assert.equal(await page(), 'a new commit');
});
