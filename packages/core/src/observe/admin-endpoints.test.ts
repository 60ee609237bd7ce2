import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { eventually, temporaryDirectory } from '@sidekit/test-kit';
import { AdminEndpoints } from './admin-endpoints.ts';
import { createAdminServer } from './admin-server.ts';
import { Health } from './health.ts';
import { Registry } from './metrics.ts';

interface Ask {
  readonly method?: string;
  readonly host?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
}

async function serving(endpoints: AdminEndpoints) {
  const server = createAdminServer(new Health(), new Registry(), endpoints);
  await new Promise<void>((resolve) => server.listen(0, resolve));
  const { port } = server.address() as AddressInfo;
  return {
    port,
    ask: (path: string, { method = 'POST', host = '127.0.0.1', headers = {}, body }: Ask = {}) =>
      new Promise<{ status: number; text: string; headers: Record<string, unknown> }>(
        (resolve, reject) => {
          const request = httpRequest({ host, port, path, method, headers, agent: false });
          request.on('error', reject);
          request.on('response', async (response) =>
            resolve({
              status: response.statusCode ?? 0,
              text: await text(response),
              headers: response.headers,
            }),
          );
          request.end(body);
        },
      ),
    [Symbol.dispose]: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

test('an endpoint takes a POST from loopback, and answers 202 or what it returns', async () => {
  const bodies: string[] = [];
  const endpoints = new AdminEndpoints();
  endpoints.post('/sync', ({ body }) => void bodies.push(body.toString()));
  endpoints.post('/events', () => ({ status: 200, body: { state: 'ok' } }));
  endpoints.post('/broken', () => Promise.reject(new Error('no luck')));
  endpoints.page('/state', () => ({ step: 1 }));
  using server = await serving(endpoints);
  assert.equal((await server.ask('/sync', { body: 'now' })).status, 202);
  assert.deepEqual(bodies, ['now']);
  assert.deepEqual(JSON.parse((await server.ask('/events')).text), { state: 'ok' });
  const broken = await server.ask('/broken');
  assert.deepEqual([broken.status, broken.text], [500, 'no luck\n']);
  assert.equal((await server.ask('/state', { method: 'GET' })).text, '{"step":1}\n');
  const wrong = await server.ask('/sync', { method: 'GET' });
  assert.deepEqual([wrong.status, wrong.headers.allow], [405, 'POST']);
  assert.match((await server.ask('/nope')).text, /try .*\/sync, \/events, \/broken, \/state/);
});

test('a GET endpoint answers when its handler does, and only so many requests wait for it', async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const endpoints = new AdminEndpoints();
  let calls = 0;
  endpoints.get('/stop', async () => {
    calls++;
    await promise;
    return { body: 'now' };
  });
  endpoints.get('/leader', () => ({ status: 404, body: 'not the leader' }));
  endpoints.get('/broken', () => Promise.reject(new Error('no luck')));
  using server = await serving(endpoints);
  const get = (path: string) => server.ask(path, { method: 'GET' });
  assert.equal((await get('/leader')).status, 404);
  assert.deepEqual((await get('/broken')).text, 'no luck\n');
  const waiting = Array.from({ length: 16 }, () => get('/stop'));
  await eventually(() => calls === 16, { what: 'sixteen requests that wait' });
  assert.equal((await get('/stop')).status, 429);
  resolve();
  for (const { status, text } of await Promise.all(waiting)) {
    assert.deepEqual([status, text], [200, 'now']);
  }
  await eventually(async () => (await get('/stop')).status === 200, { what: 'a free place' });
});

test('a request that a browser or a proxy made for somebody else is refused', async () => {
  let calls = 0;
  const endpoints = new AdminEndpoints();
  endpoints.post('/sync', () => void calls++, { rate: 1000 });
  using server = await serving(endpoints);
  const { port } = server;
  for (const headers of [
    { host: 'evil.example' },
    { host: `evil.example:${port}` },
    { origin: 'http://evil.example' },
    { origin: 'null' },
    { origin: `https://127.0.0.1:${port}` },
    { 'x-forwarded-for': '10.0.0.1' },
    { forwarded: 'for=10.0.0.1' },
    { via: '1.1 proxy' },
  ] as Record<string, string>[]) {
    assert.equal((await server.ask('/sync', { headers })).status, 403, JSON.stringify(headers));
  }
  assert.equal(calls, 0);
  for (const headers of [
    { host: `localhost:${port}` },
    { host: `[::1]:${port}` },
    { host: `127.0.0.1:${port}`, origin: `http://127.0.0.1:${port}` },
  ] as Record<string, string>[]) {
    assert.equal((await server.ask('/sync', { headers })).status, 202, JSON.stringify(headers));
  }
});

const outside = Object.values(networkInterfaces())
  .flat()
  .find((one) => one && !one.internal && one.family === 'IPv4')?.address;

test('from elsewhere the token of the file is needed, as it is now', {
  skip: !outside,
}, async () => {
  using directory = temporaryDirectory();
  const file = join(directory.path, 'token');
  const endpoints = new AdminEndpoints(file);
  endpoints.post('/sync', () => undefined, { rate: 1000 });
  using server = await serving(endpoints);
  const host = outside ?? '';
  const status = async (authorization?: string) =>
    (await server.ask('/sync', { host, headers: authorization ? { authorization } : {} })).status;
  assert.equal(await status('Bearer s3cret'), 403, 'no file');
  writeFileSync(file, '\n');
  assert.equal(await status('Bearer '), 403, 'an empty token is none');
  writeFileSync(file, 's3cret\n');
  assert.equal(await status(), 403);
  assert.equal(await status('Bearer s3cre'), 403);
  assert.equal(await status('Basic s3cret'), 403);
  assert.equal(await status('bearer s3cret'), 202);
  writeFileSync(file, 'other\n');
  assert.equal(await status('Bearer s3cret'), 403);
  assert.equal(await status('Bearer other'), 202);
});

test('an endpoint may accept by its own means, such as a signature of the body', async () => {
  const endpoints = new AdminEndpoints();
  endpoints.post('/sync', () => undefined, {
    authorize: ({ headers, body }) => headers['x-signature'] === `of ${body}`,
  });
  using server = await serving(endpoints);
  const ask = (signature: string) =>
    server.ask('/sync', { headers: { host: 'git', 'x-signature': signature }, body: 'push' });
  assert.equal((await ask('of push')).status, 202);
  assert.equal((await ask('of pull')).status, 403);
});

test('a body over the limit is refused, with a length or without', async () => {
  let calls = 0;
  const endpoints = new AdminEndpoints();
  endpoints.post('/sync', () => void calls++, { limit: 100 });
  using server = await serving(endpoints);
  const body = 'x'.repeat(101);
  assert.equal((await server.ask('/sync', { body })).status, 413);
  const headers = { 'transfer-encoding': 'chunked' };
  assert.equal((await server.ask('/sync', { body, headers })).status, 413);
  assert.equal((await server.ask('/sync', { body: 'x'.repeat(100) })).status, 202);
  assert.equal(calls, 1);
});

test('more requests than the rate are refused with the time to wait', async () => {
  const endpoints = new AdminEndpoints();
  endpoints.post('/sync', () => undefined, { rate: 0.01 });
  using server = await serving(endpoints);
  assert.equal((await server.ask('/sync')).status, 202);
  const refused = await server.ask('/sync');
  assert.equal(refused.status, 429);
  assert.ok(Number(refused.headers['retry-after']) > 50);
});

test('a body that is cut off never reaches the handler', async () => {
  let calls = 0;
  const endpoints = new AdminEndpoints();
  endpoints.post('/sync', () => void calls++);
  using server = await serving(endpoints);
  const head = 'POST /sync HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 10\r\n\r\nhalf';
  await new Promise<void>((resolve) => {
    const socket = connect(server.port, '127.0.0.1', () => socket.end(head));
    socket.on('close', () => resolve()).on('error', () => {});
    socket.resume();
  });
  assert.equal((await server.ask('/sync')).status, 202);
  assert.equal(calls, 1);
});

test('a flood of requests that nothing authorizes delays none from loopback', async () => {
  let calls = 0;
  const endpoints = new AdminEndpoints();
  endpoints.post('/sync', () => void calls++, { rate: 5, authorize: () => false });
  using server = await serving(endpoints);
  const forged = { headers: { 'x-forwarded-for': '10.0.0.1' } };
  const statuses = await Promise.all(
    Array.from({ length: 50 }, async () => (await server.ask('/sync', forged)).status),
  );
  assert.ok(statuses.includes(429), 'the flood exceeds its rate');
  assert.equal((await server.ask('/sync')).status, 202);
  assert.equal(calls, 1);
});

test('only some bodies may arrive at the same time: they are in memory until they are complete', async () => {
  const endpoints = new AdminEndpoints();
  endpoints.post('/sync', () => undefined, { rate: 1000 });
  using server = await serving(endpoints);
  const head = 'POST /sync HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 2\r\n\r\n';
  const sockets = Array.from({ length: 8 }, () =>
    connect(server.port, '127.0.0.1').on('error', () => {}),
  );
  for (const socket of sockets) socket.write(`${head}a`);
  const busy = async () => (await server.ask('/sync', { body: 'ab' })).status === 429;
  await eventually(busy, { what: 'eight bodies on their way' });
  for (const socket of sockets.slice(0, 4)) socket.write('b');
  for (const socket of sockets.slice(4)) socket.destroy();
  await eventually(async () => !(await busy()), { what: 'no body on its way' });
});
