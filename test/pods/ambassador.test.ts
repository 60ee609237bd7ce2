import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '@sidekit/test-kit';
import { applyPod } from '../engine/index.ts';

test('the application is reached through the ambassador, and not around it', async () => {
  await using session = await applyPod('ambassador');
  await session.ready('ambassador');
  const { status, headers, body } = await session.http('ambassador', 8080, '/');
  assert.equal(status, 200);
  assert.match(body, /Hello from/);
  assert.match(body, /X-Forwarded-For/i);
  assert.match(headers.get('x-request-id') ?? '', /^[0-9a-f-]{36}$/);

  const { status: pod } = await session.status('ambassador');
  const around = await session.exec('ambassador', 'app', [
    '/nodejs/bin/node',
    '-e',
    `fetch('http://${pod.podIP}:5000/').catch(({ cause }) => console.log(cause.code))`,
  ]);
  assert.equal(around.stdout.trim(), 'ECONNREFUSED', around.stderr);

  await session.logged('ambassador', 'proxy', /"path":"\/".*"status":200/);
  await eventually(
    async () => {
      const metrics = await session.http('ambassador', 9901, '/metrics');
      return /http_server_request_duration_seconds_count\{.*\} [1-9]/.test(metrics.body);
    },
    { what: 'the request in the metrics' },
  );
});
