import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLog } from '@sidekit/core';
import { eventually, freePort } from '@sidekit/test-kit';
import { TestProxy } from '../testing/proxy.ts';
import { RawClient, RawServer } from '../testing/raw.ts';
import { request, TestUpstream } from '../testing/upstream.ts';

for (const fastLane of [true, false]) {
  const lane = fastLane ? 'fast lane' : 'full lane';

  test(`${lane}: an unreachable upstream is 502, with the reason in the log`, async () => {
    const lines: string[] = [];
    const log = createLog({ name: 'test', write: (line) => lines.push(line) });
    const options = {
      upstream: [`http://127.0.0.1:${await freePort()}`],
      retryConnectFor: '0',
      fastLane,
    };
    await using proxy = await TestProxy.start(options, log);
    const got = await request(proxy.url);
    assert.equal(got.status, 502);
    assert.equal(got.body, '502 Bad Gateway\n', 'the client learns no addresses');
    assert.match(lines.join(''), /ECONNREFUSED.*"requestId":/);
    assert.equal(proxy.metric('ambassador_upstream_failures_total{listener="main",flag="UF"}'), 1);
  });

  test(`${lane}: an upstream that does not respond is 504, and its connection is not reused`, async () => {
    await using upstream = await TestUpstream.start(() => {});
    await using proxy = await TestProxy.start({
      upstream: [upstream.url],
      responseTimeout: '150ms',
      fastLane,
    });
    assert.equal((await request(proxy.url)).status, 504);
    assert.equal((await request(proxy.url, { method: 'POST', body: 'x' })).status, 504);
    assert.equal(upstream.connections, 2);
  });

  test(`${lane}: the total timeout applies to a response that never ends`, async () => {
    await using upstream = await TestUpstream.start((_request, response) => {
      const timer = setInterval(() => response.write('x'), 20);
      response.on('close', () => clearInterval(timer));
    });
    await using proxy = await TestProxy.start({
      upstream: [upstream.url],
      totalTimeout: '300ms',
      fastLane,
    });
    await assert.rejects(request(proxy.url), 'cut, not ended');
  });

  test(`${lane}: more requests than may wait are 503`, async () => {
    const waiting: (() => void)[] = [];
    await using upstream = await TestUpstream.start((_request, response) => {
      waiting.push(() => response.end('late'));
    });
    await using proxy = await TestProxy.start({
      upstream: [upstream.url],
      maxUpstreamConnections: 1,
      maxPending: 1,
      fastLane,
    });
    const first = request(proxy.url);
    await eventually(() => waiting.length === 1, { what: 'the first' });
    const second = request(proxy.url);
    await eventually(() => proxy.listeners.clusters[0]!.cluster.endpoints[0]!.waiting === 1, {
      what: 'the second waits',
    });
    assert.equal((await request(proxy.url)).status, 503);
    waiting.shift()!();
    assert.equal((await first).body, 'late');
    await eventually(() => waiting.length === 1, { what: 'the second gets its turn' });
    waiting.shift()!();
    assert.equal((await second).status, 200);
    assert.equal(upstream.connections, 1);
  });

  test(`${lane}: over the rate is 429 with Retry-After`, async () => {
    await using upstream = await TestUpstream.start((_request, response) => response.end('ok'));
    await using proxy = await TestProxy.start({
      upstream: [upstream.url],
      rateLimit: 0.5,
      rateBurst: 2,
      fastLane,
    });
    assert.equal((await request(proxy.url)).status, 200);
    assert.equal((await request(proxy.url)).status, 200);
    const got = await request(proxy.url);
    assert.equal(got.status, 429);
    assert.equal(got.headers['retry-after'], '2');
    assert.equal(upstream.requests, 2);
  });

  test(`${lane}: a body over the limit is 413, by its length or as it arrives`, async () => {
    await using upstream = await TestUpstream.start((incoming, response) => {
      incoming.resume().on('end', () => response.end('ok'));
    });
    await using proxy = await TestProxy.start({
      upstream: [upstream.url],
      maxBody: '1KiB',
      fastLane,
    });
    const post = (headers: Record<string, string>, size: number) =>
      request(proxy.url, { method: 'POST', headers, body: 'x'.repeat(size) });
    assert.equal((await post({}, 1024)).status, 200);
    assert.equal((await post({}, 1025)).status, 413);
    assert.equal((await post({ 'transfer-encoding': 'chunked' }, 1024)).status, 200);
    assert.equal((await post({ 'transfer-encoding': 'chunked' }, 5000)).status, 413);
  });

  test(`${lane}: a head that arrives byte by byte is 408, and an idle connection closes`, async () => {
    await using upstream = await TestUpstream.start((_request, response) => response.end('ok'));
    await using proxy = await TestProxy.start({
      upstream: [upstream.url],
      headersTimeout: '200ms',
      keepAliveTimeout: '200ms',
      fastLane,
    });
    using slow = new RawClient(proxy.port);
    slow.send('GET / HTTP/1.1\r\nHost: a\r\nX: ');
    using idle = new RawClient(proxy.port);
    idle.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await Promise.all([slow.wait('408', () => false), idle.wait('the end', () => false)]);
    assert.match(slow.received, /^HTTP\/1\.1 408 /);
    assert.match(idle.received, /^HTTP\/1\.1 200 /);
  });

  test(`${lane}: a break after the head closes the connection and writes no second head`, async () => {
    await using upstream = await RawServer.start((socket, text) => {
      if (!text.endsWith('\r\n\r\n')) return;
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nbegun', () =>
        socket.resetAndDestroy(),
      );
    });
    await using proxy = await TestProxy.start({ upstream: [upstream.url], fastLane });
    using client = new RawClient(proxy.port);
    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await client.wait('the end', () => false);
    assert.ok((client.received.match(/HTTP\/1\.1/g) ?? []).length <= 1, client.received);
  });

  test(`${lane}: a response before the end of the body is relayed, and neither connection is reused`, async () => {
    await using upstream = await RawServer.start((socket, text) => {
      if (text.includes('\r\n\r\n')) socket.write('HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\nno');
    });
    await using proxy = await TestProxy.start({ upstream: [upstream.url], fastLane });
    using client = new RawClient(proxy.port);
    client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\nabc');
    await client.wait('the end', () => false);
    assert.match(client.received, /^HTTP\/1\.1 403 No\r\n[\s\S]*Connection: close\r\n\r\nno$/);
    await eventually(() => upstream.sockets.size === 0, {
      what: 'the upstream connection is closed',
    });
  });
}

test('without a healthy endpoint requests are 503, until it is healthy again', async () => {
  let good = false;
  await using upstream = await TestUpstream.start((incoming, response) => {
    response.statusCode = incoming.url === '/health' && !good ? 500 : 200;
    response.end();
  });
  await using proxy = await TestProxy.start({
    upstream: [upstream.url],
    healthPath: '/health',
    healthInterval: '20ms',
  });
  await eventually(async () => (await request(proxy.url)).status === 503, { what: '503' });
  good = true;
  await eventually(async () => (await request(proxy.url)).status === 200, { what: '200' });
});

test('clients eject no endpoint by what they send, or by going away', async () => {
  await using upstream = await TestUpstream.start((incoming) => incoming.resume());
  upstream.server.on('upgrade', (_incoming, socket) => {
    socket.on('error', () => {});
    socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\nhello');
    socket.pipe(socket);
  });
  await using proxy = await TestProxy.start({
    upstream: [upstream.url, upstream.url.replace('127.0.0.1', 'localhost')],
    ejectAfter: 1,
    maxBody: '10B',
  });
  const head = (text: string) => `POST / HTTP/1.1\r\nHost: a\r\n${text}\r\n\r\n`;
  for (const [sent, until] of [
    [`${head('Transfer-Encoding: chunked')}b\r\nhello world\r\n`, '413'],
    [head('Connection: Upgrade\r\nUpgrade: websocket'), 'hello'],
  ]) {
    using client = new RawClient(proxy.port);
    client.send(sent!);
    await client.wait(until!, () => client.received.includes(until!));
    client.socket.resetAndDestroy();
    await proxy.settled();
  }
  for (const { consecutiveFailures, ejections } of proxy.listeners.clusters[0]!.cluster.endpoints)
    assert.deepEqual([consecutiveFailures, ejections], [0, 0]);
});

test('an endpoint that keeps failing is ejected while there is another', async () => {
  const dead = await freePort();
  await using upstream = await TestUpstream.start((_request, response) => response.end('ok'));
  await using proxy = await TestProxy.start({
    upstream: [`http://127.0.0.1:${dead}`, upstream.url],
    balance: 'round-robin',
    ejectAfter: 2,
    ejectFor: '1m',
  });
  for (let i = 0; i < 20; i++) assert.equal((await request(proxy.url)).status, 200);
  assert.equal(proxy.metric('ambassador_retries_total'), 2, 'two tries found it dead');
});
