import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { eventually, freePort } from '@sidekit/test-kit';
import { EchoServer, TestGrpcClient } from '../testing/grpc.ts';
import { TestProxy } from '../testing/proxy.ts';
import { sized } from '../testing/sized.ts';

/** The long suite makes all calls: they take minutes, not hours. */
const LONG = process.env.SIDEKIT_LONG === '1';

/** Calls one after another in several lanes, on eight clients, without a retry by the client. */
class CallLoad implements Disposable {
  done = 0;
  readonly failed: string[] = [];
  readonly finished: Promise<unknown>;
  readonly #clients: TestGrpcClient[];

  constructor(port: number, total: number, streams: number) {
    this.#clients = Array.from({ length: 8 }, () => new TestGrpcClient(port));
    let sent = 0;
    const lane = async (client: TestGrpcClient) => {
      while (sent < total) {
        const message = `call ${sent++}`;
        const result = await client.unary(message);
        this.done++;
        if (result.message !== message && this.failed.length < 100)
          this.failed.push(`${message}: ${result.code} ${result.details}`);
      }
    };
    this.finished = Promise.all(
      this.#clients.flatMap((client) => Array.from({ length: streams }, () => lane(client))),
    );
  }

  [Symbol.dispose](): void {
    for (const client of this.#clients) client[Symbol.dispose]();
  }
}

const SERVER = fileURLToPath(new URL('../testing/grpc-server.ts', import.meta.url));

test('no call of an idempotent route fails while its upstream is killed and started again', async (t) => {
  const total = LONG ? 100_000 : sized(1000, 100_000);
  const restarts = LONG ? 20 : sized(4, 20);
  const port = await freePort();
  const start = async () => {
    const child = fork(SERVER, [String(port)]);
    await once(child, 'message');
    return child;
  };
  let server = await start();
  await using proxy = await TestProxy.start({
    upstream: [`h2c://127.0.0.1:${port}`],
    idempotent: true,
    retryConnectFor: '30s',
    retryBudget: 1,
  });
  using load = new CallLoad(proxy.port, total, 2);
  for (let i = 1; i <= restarts; i++) {
    await eventually(() => load.done > (total / (restarts + 1)) * i, {
      what: `restart ${i}`,
      timeout: 600_000,
      interval: 1,
    });
    const gone = once(server, 'exit');
    // In turn a crash and a stop with GOAWAY.
    server.kill(i % 2 ? 'SIGKILL' : 'SIGTERM');
    await gone;
    server = await start();
  }
  await load.finished;
  t.diagnostic(
    `${load.done} calls, ${restarts} restarts, ${proxy.metric('ambassador_retries_total')} retries`,
  );
  assert.deepEqual(load.failed, []);
  assert.equal(load.done, total);
  assert.ok(proxy.metric('ambassador_retries_total') > 0);
  server.kill('SIGKILL');
});

test('no call fails over reloads, and none is repeated', async (t) => {
  const total = LONG ? 100_000 : sized(1000, 100_000);
  const reloads = LONG ? 20 : sized(4, 20);
  let served = 0;
  using server = await EchoServer.start({
    unary: (call, reply) => {
      served++;
      reply(null, call.request);
    },
  });
  const options = { upstream: [server.url] };
  await using proxy = await TestProxy.start(options);
  using load = new CallLoad(proxy.port, total, 16);
  for (let i = 1; i <= reloads; i++) {
    await eventually(() => load.done > (total / (reloads + 1)) * i, {
      what: `reload ${i}`,
      timeout: 600_000,
      interval: 1,
    });
    await proxy.reload({ ...options, maxPending: 2000 + i });
  }
  await load.finished;
  t.diagnostic(`${load.done} calls, ${reloads} reloads`);
  assert.deepEqual(load.failed, []);
  assert.equal(served, total);
});
