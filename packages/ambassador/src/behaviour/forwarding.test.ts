import assert from 'node:assert/strict';
import { request as httpRequest } from 'node:http';
import net from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { eventually, temporaryDirectory } from '@sidekit/test-kit';
import { TestProxy } from '../testing/proxy.ts';
import { RawClient, RawServer } from '../testing/raw.ts';
import { request, TestUpstream } from '../testing/upstream.ts';

/** Starts an upstream that responds with the fields it received. */
function mirror(): Promise<TestUpstream> {
  return TestUpstream.start((incoming, response) => {
    response.setHeader('x-request-id', 'of the upstream');
    response.end(JSON.stringify({ url: incoming.url, ...incoming.headers }));
  });
}

const CLAIMS = {
  'x-forwarded-for': '6.6.6.6',
  'x-forwarded-proto': 'https',
  'x-forwarded-host': 'evil',
  forwarded: 'for=6.6.6.6',
  'x-real-ip': '6.6.6.6',
};

for (const fastLane of [true, false]) {
  const lane = fastLane ? 'fast lane' : 'full lane';

  test(`${lane}: forwarding fields of strangers are replaced, those of a trusted proxy extended`, async () => {
    await using upstream = await mirror();
    await using strict = await TestProxy.start({ upstream: [upstream.url], fastLane });
    const plain = JSON.parse((await request(strict.url, { headers: CLAIMS })).body);
    assert.equal(plain['x-forwarded-for'], '127.0.0.1');
    assert.equal(plain['x-forwarded-proto'], 'http');
    for (const name of ['x-forwarded-host', 'forwarded', 'x-real-ip'])
      assert.equal(plain[name], undefined, name);
    await using trusting = await TestProxy.start({
      upstream: [upstream.url],
      trustedProxies: ['127.0.0.0/8'],
      fastLane,
    });
    const trusted = JSON.parse((await request(trusting.url, { headers: CLAIMS })).body);
    assert.equal(trusted['x-forwarded-for'], '6.6.6.6, 127.0.0.1');
    assert.equal(trusted['x-forwarded-proto'], 'https');
    assert.equal(trusted['x-forwarded-host'], 'evil');
  });

  test(`${lane}: the Host may be replaced for external services`, async () => {
    await using upstream = await mirror();
    await using proxy = await TestProxy.start({
      upstream: [upstream.url],
      hostHeader: 'api.example.com',
      fastLane,
    });
    const got = JSON.parse((await request(proxy.url, { headers: { host: 'inside' } })).body);
    assert.equal(got.host, 'api.example.com');
    assert.equal(got['x-forwarded-host'], 'inside');
  });

  test(`${lane}: valid ids of the client are kept, others replaced, and the response has the request id`, async () => {
    await using upstream = await mirror();
    await using proxy = await TestProxy.start({ upstream: [upstream.url], fastLane });
    const trace = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const given = await request(proxy.url, {
      headers: { 'x-request-id': 'mine-1', traceparent: trace, tracestate: 'a=b' },
    });
    const kept = JSON.parse(given.body);
    assert.deepEqual(
      [kept['x-request-id'], kept.traceparent, kept.tracestate],
      ['mine-1', trace, 'a=b'],
    );
    assert.equal(given.headers['x-request-id'], 'mine-1', "the upstream's own is dropped");
    const bad = await request(proxy.url, {
      headers: { 'x-request-id': 'with space', traceparent: 'nonsense', tracestate: 'a=b' },
    });
    const made = JSON.parse(bad.body);
    assert.match(made['x-request-id'], /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    assert.match(made.traceparent, /^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
    assert.equal(made.tracestate, undefined, 'it belonged to another trace');
    assert.match(made.via, /^1\.1 ambassador-[0-9a-f]{8}-main$/);
  });

  test(`${lane}: early hints pass before the response`, async () => {
    await using upstream = await RawServer.start((socket, text) => {
      if (!text.endsWith('\r\n\r\n')) return;
      socket.write(
        'HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\nConnection: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok',
      );
    });
    await using proxy = await TestProxy.start({ upstream: [upstream.url], fastLane });
    using client = new RawClient(proxy.port);
    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await client.wait('both', () => client.received.endsWith('ok'));
    assert.match(
      client.received,
      /^HTTP\/1\.1 103 Early Hints\r\nLink: <\/a\.css>\r\n\r\nHTTP\/1\.1 200 OK\r\n/,
    );
  });

  test(`${lane}: Unix sockets serve on either side`, async () => {
    using directory = temporaryDirectory('http-unix');
    const inner = join(directory.path, 'app.sock');
    const door = join(directory.path, 'door.sock');
    await using upstream = await mirror();
    // The app's socket forwards to the upstream's port.
    const bridge = net.createServer((socket) => {
      const out = net.connect(upstream.port, '127.0.0.1');
      socket.pipe(out).pipe(socket);
      for (const one of [socket, out]) one.on('error', () => {});
    });
    await new Promise<void>((resolve) => bridge.listen(inner, resolve));
    await using proxy = await TestProxy.start({
      listen: `unix:${door}`,
      upstream: [`unix:${inner}`],
      fastLane,
    });
    const body = await new Promise<string>((resolve, reject) => {
      const outgoing = httpRequest({ socketPath: door, path: '/x', agent: false }, (response) => {
        let text = '';
        response.on('data', (chunk) => (text += chunk));
        response.on('end', () => resolve(text));
      });
      outgoing.on('error', reject).end();
    });
    assert.equal(JSON.parse(body).url, '/x');
    assert.ok(proxy);
    bridge.close();
  });

  test(`${lane}: connections above the limit are closed, and the others served`, async () => {
    await using upstream = await mirror();
    await using proxy = await TestProxy.start({
      upstream: [upstream.url],
      maxConnections: 2,
      fastLane,
    });
    using first = new RawClient(proxy.port);
    using second = new RawClient(proxy.port);
    for (const client of [first, second]) {
      client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
      await client.wait('the answer', () => client.received.includes('200 OK'));
    }
    using third = new RawClient(proxy.port);
    third.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await third.wait('the end', () => false);
    assert.equal(third.received, '');
    first.send('GET /again HTTP/1.1\r\nHost: a\r\n\r\n');
    await first.wait('the answer', () => first.received.includes('/again'));
  });

  test(`${lane}: a connection to the upstream is reused, but not after its idle timeout`, async () => {
    await using upstream = await mirror();
    await using keeping = await TestProxy.start({ upstream: [upstream.url], fastLane });
    for (let i = 0; i < 5; i++) await request(keeping.url);
    assert.equal(upstream.connections, 1);
    await using restless = await TestProxy.start({
      upstream: [upstream.url],
      upstreamIdleTimeout: '10ms',
      fastLane,
    });
    await request(restless.url);
    const idle = 'http_client_open_connections{listener="main",http_connection_state="idle"}';
    const endpoint = restless.listeners.clusters[0]!.cluster.endpoints[0]!;
    await eventually(() => endpoint.connections === 0, { what: 'the idle connection is closed' });
    assert.equal(restless.metric(idle), 0);
    await request(restless.url);
    assert.equal(upstream.connections, 3);
  });
}
