import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '@sidekit/test-kit';
import { applyPod } from '../engine/index.ts';

test('an application that knows only localhost reaches a service outside over verified TLS', async () => {
  await using session = await applyPod('ambassador-egress');
  await session.ready('external-db');
  await session.ready('ambassador-egress');
  const page = () => session.http('ambassador-egress', 5000, '/page.html');
  await eventually(async () => (await page()).status === 200, {
    what: 'the page',
  });
  const { body } = await page();
  assert.match(body, /Hello from external-db/);
  assert.match(body, /<th>x-forwarded-proto<\/th><td>https<\/td>/i, 'TLS between the Pods');
});
