import assert from 'node:assert/strict';
import { test } from 'node:test';
import { applyPod } from '../engine/index.ts';

test('each request to the application is one JSON record on the adapter’s stdout, and is counted', async () => {
  await using session = await applyPod('adapter');
  await session.ready('adapter');
  for (let i = 0; i < 5; i++) {
    await session.http('adapter', 5000, `/echo?request=${i}`, { method: 'POST', body: 'x' });
  }
  await session.http('adapter', 5000, '/nowhere');
  const log = await session.logged('adapter', 'adapter', /"\/nowhere"/);
  const records = log
    .split('\n')
    .filter((line) => /"\/(echo|nowhere)/.test(line))
    .map((line) => JSON.parse(line.slice(line.indexOf('{'))));
  assert.equal(records.length, 6);
  assert.deepEqual(
    records.map(({ path }) => path),
    [...Array.from({ length: 5 }, (_, i) => `/echo?request=${i}`), '/nowhere'],
  );
  const { status, method, pod, time, offset } = records[5];
  assert.deepEqual({ status, method, pod }, { status: 404, method: 'GET', pod: 'adapter' });
  assert.match(time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  assert.equal(typeof offset, 'number');
  assert.match(records[0]['file.id'], /^[0-9a-f]{16}$/);

  const metrics = (await session.http('adapter', 9902, '/metrics')).body;
  assert.match(metrics, /^log_http_requests_total\{method="POST",status="2xx"\} 5$/m);
  assert.match(metrics, /^log_http_requests_total\{method="GET",status="4xx"\} 1$/m);
});
