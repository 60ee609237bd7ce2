import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { eventually } from '@sidekit/test-kit';
import { applyPod } from '../engine/index.ts';
import { hasPrometheus, Prometheus } from '../support/prometheus.ts';

test('StatsD and the status page of the application are Prometheus metrics', async () => {
  await using session = await applyPod('monitoring-adapter');
  await session.ready('monitoring-adapter');
  for (let i = 0; i < 7; i++) {
    await session.http('monitoring-adapter', 5000, '/echo', { method: 'POST', body: 'x' });
  }
  const metrics = () => session.http('monitoring-adapter', 9902, '/metrics');
  const shows = (line: RegExp) =>
    eventually(async () => line.test((await metrics()).body), {
      what: String(line),
    });
  await shows(/^webapp_requests_total\{method="POST",status="2xx"\} 7$/m);
  await shows(/^webapp_request_duration_seconds_count [1-9]/m);
  await shows(/^webapp_active \d+$/m);
  await shows(/^webapp_uptime_seconds [\d.]+$/m);
  await shows(/^webapp_healthy 1$/m);
  await shows(/^webapp_served_total\{method="POST"\} 7$/m);
  await shows(/^adapter_json_endpoint_up\{endpoint="http:\/\/127\.0\.0\.1:5000\/status"\} 1$/m);
  const { body } = await metrics();
  assert.doesNotMatch(body, /^adapter_statsd_dropped_values_total\{.*\} [1-9]/m);
});

test('Prometheus scrapes the metrics', {
  skip: !hasPrometheus() && 'no Prometheus',
}, async (context) => {
  await using session = await applyPod('monitoring-adapter');
  await session.ready('monitoring-adapter');
  // The admin port is in the Pod: this is what a port-forward is.
  const forward = createServer(async (request, response) => {
    const headers = { accept: request.headers.accept ?? '*/*' };
    try {
      const answer = await session.http('monitoring-adapter', 9902, '/metrics', { headers });
      const type = answer.headers.get('content-type') ?? '';
      response.writeHead(answer.status, { 'content-type': type }).end(answer.body);
    } catch {
      response.writeHead(502).end();
    }
  });
  forward.listen(0, '127.0.0.1');
  context.after(() => forward.close().closeAllConnections());
  await once(forward, 'listening');
  await using prometheus = await Prometheus.start(
    `127.0.0.1:${(forward.address() as AddressInfo).port}`,
  );
  await session.http('monitoring-adapter', 5000, '/echo', { method: 'POST', body: 'x' });
  await prometheus.value('up', (value) => value === 1);
  await prometheus.value(
    'webapp_requests_total{method="POST",status="2xx"}',
    (value) => value === 1,
  );
  await prometheus.value('webapp_uptime_seconds', (value) => value > 0);
  await prometheus.value(
    'histogram_quantile(0.5, webapp_request_duration_seconds_bucket)',
    (value) => value > 0,
  );
});
