import assert from 'node:assert/strict';
import { test } from 'node:test';
import supertest from 'supertest';
import { createAdminServer, startAdminServer } from './admin-server.ts';
import { Health } from './health.ts';
import { Registry } from './metrics.ts';

function admin() {
  const health = new Health();
  const registry = new Registry();
  return { health, registry, request: supertest(createAdminServer(health, registry)) };
}

test('the probes answer 200, or 503 with the reasons', async () => {
  const { health, request } = admin();
  await request.get('/readyz').expect(200, { status: 'ok', reasons: [], warnings: [] });
  health.condition('queue', 'startup', 'ready').fail('no queue');
  const body = {
    status: 'unavailable',
    reasons: [{ name: 'queue', reason: 'no queue' }],
    warnings: [],
  };
  await request.get('/readyz?verbose').expect(503, body).expect('content-type', /json/);
  await request.get('/startupz').expect(503).expect('cache-control', 'no-store');
  await request.get('/livez').expect(200);
});

test('the metrics have the type of the text format', async () => {
  const { registry, request } = admin();
  registry.counter({ name: 'a_total', help: 'A.' }).inc();
  const { text } = await request
    .get('/metrics')
    .expect(200)
    .expect('content-type', 'text/plain; version=0.0.4; charset=utf-8');
  assert.match(text, /^a_total 1$/m);
});

test('a metric that cannot be collected is a 500, not the end of the process', async () => {
  const { registry, request } = admin();
  registry.gauge({
    name: 'bad',
    help: '',
    collect: () => {
      throw new Error('no such file');
    },
  });
  await request.get('/metrics').expect(500, 'no such file\n');
});

test('HEAD has no body, other methods and pages are refused', async () => {
  const { request } = admin();
  const { text } = await request.head('/readyz').expect(200);
  assert.equal(text, undefined);
  await request.post('/readyz').expect(405).expect('allow', 'GET, HEAD');
  await request.get('/nope').expect(404, /try \/startupz, \/readyz, \/livez or \/metrics/);
});

test('closing does not wait for idle connections', async () => {
  const server = await startAdminServer(
    { host: '127.0.0.1', port: 0 },
    new Health(),
    new Registry(),
  );
  const { status } = await fetch(`http://127.0.0.1:${server.port}/livez`);
  assert.equal(status, 200);
  await server.close();
  await assert.rejects(fetch(`http://127.0.0.1:${server.port}/livez`));
});
