import assert from 'node:assert/strict';
import { test } from 'node:test';
import { applyPod } from '../engine/index.ts';

test('each message that the application sends to syslog is one JSON record', async () => {
  await using session = await applyPod('syslog');
  await session.ready('syslog');
  for (let i = 0; i < 5; i++) await session.http('syslog', 5000, `/nowhere/${i}`);
  const log = await session.logged('syslog', 'adapter', /nowhere\/4/);
  const records = log
    .split('\n')
    .filter((line) => line.includes('/nowhere/'))
    .map((line) => JSON.parse(line.slice(line.indexOf('{'))));
  assert.deepEqual(
    records.map(({ message }) => message),
    Array.from({ length: 5 }, (_, i) => `GET /nowhere/${i} 404`),
  );
  const { time, facility, severity, app_name, msg_id } = records[0];
  assert.deepEqual(
    { facility, severity, app_name, msg_id },
    { facility: 'local0', severity: 'info', app_name: 'webapp', msg_id: 'request' },
  );
  assert.match(time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z$/);
  const metrics = (await session.http('syslog', 9902, '/metrics')).body;
  assert.match(
    metrics,
    /^adapter_received_messages_total\{listener="udp:127\.0\.0\.1:5514"\} (?:[5-9]|\d{2,})$/m,
  );
});
