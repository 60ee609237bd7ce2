import assert from 'node:assert/strict';
import http from 'node:http';
import { test } from 'node:test';
import { silentLog } from '@sidekit/core';
import { eventually, freePort } from '@sidekit/test-kit';
import { MemoryBudget } from '../memory/memory-budget.ts';
import { ReadBufferPool } from '../memory/read-buffer.ts';
import { TestUpstream } from '../testing/upstream.ts';
import { Clock } from '../time/clock.ts';
import { Cluster, type ClusterOptions } from './cluster.ts';

/** Closes its cluster at the end of the test. */
class TestCluster extends Cluster implements Disposable {
  readonly #clock: Clock;

  constructor(options: Partial<ClusterOptions>) {
    const clock = new Clock();
    const memory = new MemoryBudget(1e9);
    super(
      {
        upstreams: [1, 2, 3].map((port) => ({ host: '127.0.0.1', port, secure: false })),
        balance: 'least-pending',
        limits: {
          maxConnections: 10,
          maxPending: 10,
          idleTimeout: 1000,
          maxLifetime: 1000,
          connectTimeout: 1000,
          maxHead: 16_384,
          maxFields: 128,
        },
        dnsRefresh: 20,
        lookup: () => Promise.reject(new Error('no name is known')),
        healthCheck: undefined,
        ejection: { failures: 2, time: 60_000 },
        tls: () => ({}),
        ...options,
      },
      { clock, memory, pool: new ReadBufferPool(memory) },
      silentLog,
    );
    this.#clock = clock;
  }

  get names(): string[] {
    return this.endpoints.map(({ name }) => name);
  }

  [Symbol.dispose](): void {
    this.close();
    this.#clock.close();
  }
}

test('round robin selects each endpoint equally often', () => {
  using cluster = new TestCluster({ balance: 'round-robin' });
  const picks = Array.from({ length: 9 }, () => cluster.pick()!.name);
  for (const name of cluster.names) assert.equal(picks.filter((one) => one === name).length, 3);
});

test('the less busy of two random endpoints is selected, so the busiest of three is not', () => {
  using cluster = new TestCluster({});
  const [idle, busy, busiest] = cluster.endpoints;
  busy!.pending = 5;
  busiest!.pending = 50;
  const counts = new Map<unknown, number>();
  for (let i = 0; i < 3000; i++) {
    const one = cluster.pick();
    counts.set(one, (counts.get(one) ?? 0) + 1);
  }
  assert.ok(counts.get(idle)! > counts.get(busy)!, 'idle before busy');
  // Only if it is drawn twice: one time in nine.
  assert.ok((counts.get(busiest) ?? 0) < 600, `${counts.get(busiest)}`);
});

test('failures in a row eject an endpoint, unless a success is between them, and never the last one', () => {
  using cluster = new TestCluster({});
  const [first, second, third] = cluster.endpoints;
  cluster.recordOutcome(first!, false);
  cluster.recordOutcome(first!, true);
  cluster.recordOutcome(first!, false);
  assert.equal(first!.ejectedUntil, 0);
  for (const one of [first!, second!])
    for (let i = 0; i < 2; i++) cluster.recordOutcome(one, false);
  for (let i = 0; i < 100; i++) assert.equal(cluster.pick(), third);
  for (let i = 0; i < 2; i++) cluster.recordOutcome(third!, false);
  assert.ok(cluster.pick(), 'ejection never takes them all');
});

test('a name is resolved again: new addresses join, old ones leave, the others keep their state', async () => {
  let addresses = ['10.0.0.2', '10.0.0.1'];
  using cluster = new TestCluster({
    upstreams: [{ host: 'app.example', port: 80, secure: false }],
    lookup: () => Promise.resolve(addresses),
  });
  await eventually(() => cluster.endpoints.length === 2, { what: 'the first lookup' });
  assert.deepEqual(cluster.names, ['10.0.0.1:80', '10.0.0.2:80']);
  const staying = cluster.endpoints[1];
  staying!.pending = 7;
  addresses = ['10.0.0.2', 'fd00::1'];
  await eventually(() => cluster.names.includes('[fd00::1]:80'), { what: 'the second lookup' });
  assert.deepEqual(cluster.names, ['10.0.0.2:80', '[fd00::1]:80']);
  assert.equal(cluster.endpoints[0], staying);
  assert.equal(cluster.endpoints[0]!.pending, 7);
});

test('a failed lookup keeps the known addresses', async () => {
  let lookups = 0;
  using cluster = new TestCluster({
    upstreams: [{ host: 'app.example', port: 80, secure: false }],
    lookup: () =>
      ++lookups === 1 ? Promise.resolve(['10.0.0.9']) : Promise.reject(new Error('SERVFAIL')),
  });
  await eventually(() => lookups > 3, { what: 'failed lookups' });
  assert.deepEqual(cluster.names, ['10.0.0.9:80']);
});

test('checks mark an endpoint unhealthy after three failures, and healthy after two successes', async () => {
  let good = true;
  let asked = 0;
  await using upstream = await TestUpstream.start((incoming, response) => {
    assert.equal(incoming.url, '/healthz');
    asked++;
    response.writeHead(good ? 204 : 500).end();
  });
  using cluster = new TestCluster({
    upstreams: [{ host: '127.0.0.1', port: upstream.port, secure: false }],
    healthCheck: { path: '/healthz', interval: 10, timeout: 5000, failures: 3, successes: 2 },
  });
  await eventually(() => asked > 2, { what: 'checks' });
  assert.ok(cluster.endpoints[0]!.healthy);
  good = false;
  await eventually(() => !cluster.endpoints[0]!.healthy, { what: 'unhealthy' });
  assert.equal(cluster.pick(), undefined);
  good = true;
  await eventually(() => cluster.endpoints[0]!.healthy, { what: 'healthy again' });
});

test('without a path a connect is the check', async () => {
  const port = await freePort();
  using cluster = new TestCluster({
    upstreams: [{ host: '127.0.0.1', port, secure: false }],
    healthCheck: { path: undefined, interval: 10, timeout: 1000, failures: 3, successes: 2 },
  });
  await eventually(() => !cluster.endpoints[0]!.healthy, { what: 'unhealthy' });
  const server = http.createServer().listen(port, '127.0.0.1');
  await eventually(() => cluster.endpoints[0]!.healthy, { what: 'healthy' });
  server.close();
});
