import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import http2 from 'node:http2';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { after, test } from 'node:test';
import { eventually, freePort, temporaryDirectory } from '@sidekit/test-kit';
import { TestAuthority } from '../testing/certificates.ts';
import { framed } from '../testing/grpc.ts';
import { Http2Client } from '../testing/http2-client.ts';
import { TestProxy } from '../testing/proxy.ts';
import { request } from '../testing/upstream.ts';

const directory = temporaryDirectory('alpn');
after(() => directory.remove());
const authority = new TestAuthority(directory.path);
const { cert, key } = authority.issue('localhost');
const files = { cert: readFileSync(cert), key: readFileSync(key) };

/** A TLS upstream that tells which protocol each request came by. */
class TlsUpstream implements AsyncDisposable {
  readonly server: https.Server | http2.Http2SecureServer;
  readonly #sockets = new Set<{ destroy(): void }>();
  connections = 0;

  constructor(protocols: 'both' | 'h2' | 'http/1.1') {
    const serve = (
      { method, httpVersion, headers, stream }: http2.Http2ServerRequest,
      response: http.ServerResponse | http2.Http2ServerResponse,
    ) => {
      const scheme = stream ? headers[':scheme'] : '-';
      const body = `${method} ${httpVersion} ${scheme}`;
      (response as http.ServerResponse).end(method === 'HEAD' ? '' : body);
    };
    this.server =
      protocols === 'http/1.1'
        ? https.createServer(files, serve as never)
        : http2.createSecureServer({ ...files, allowHTTP1: protocols === 'both' }, serve as never);
    this.server.on('secureConnection', (socket) => {
      this.connections++;
      this.#sockets.add(socket);
      socket.on('error', () => {});
    });
    this.server.on('upgrade', (_incoming: http.IncomingMessage, socket) => {
      socket.write(
        'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: chat\r\n\r\n',
      );
      socket.pipe(socket);
    });
  }

  async listen(port = 0): Promise<this> {
    this.server.listen(port, '127.0.0.1');
    await once(this.server, 'listening');
    return this;
  }

  get url(): string {
    return `https://localhost:${(this.server.address() as AddressInfo).port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

const options = (url: string) => ({ upstream: [url], upstreamCa: authority.ca });

test('an upstream that chooses HTTP/2 by ALPN gets all requests on one session', async () => {
  await using upstream = await new TlsUpstream('both').listen();
  for (const fastLane of [true, false]) {
    await using proxy = await TestProxy.start({ ...options(upstream.url), fastLane });
    const before = upstream.connections;
    const all = Array.from({ length: 40 }, (_, i) =>
      request(proxy.url, { method: i % 2 ? 'GET' : 'POST', body: i % 2 ? '' : 'x' }),
    );
    for (const { status, body } of await Promise.all(all)) {
      assert.equal(status, 200);
      assert.match(body, /^(GET|POST) 2\.0 https$/);
    }
    assert.equal(upstream.connections, before + 1);
    await proxy.settled();
  }
});

test('an HTTP/1.1 upstream is served as before', async () => {
  await using upstream = await new TlsUpstream('http/1.1').listen();
  await using proxy = await TestProxy.start(options(upstream.url));
  const all = Array.from({ length: 20 }, () => request(proxy.url));
  for (const { body } of await Promise.all(all)) assert.equal(body, 'GET 1.1 -');
  await proxy.settled();
});

test('an upgrade has an HTTP/1.1 connection, next to HTTP/2 sessions', async () => {
  await using upstream = await new TlsUpstream('both').listen();
  await using proxy = await TestProxy.start(options(upstream.url));
  const upgrade = async () => {
    const outgoing = http.request(proxy.url, {
      headers: { connection: 'upgrade', upgrade: 'chat' },
    });
    outgoing.end();
    const [response, socket] = await once(outgoing, 'upgrade');
    assert.equal(response.statusCode, 101);
    socket.write('hello');
    const [echo] = await once(socket, 'data');
    assert.equal(String(echo), 'hello');
    socket.destroy();
  };
  await upgrade();
  assert.equal((await request(proxy.url)).body, 'GET 2.0 https');
  await upgrade();
  assert.equal((await request(proxy.url)).body, 'GET 2.0 https');
  await proxy.settled();
});

test('an upstream may change its choice when it restarts', async () => {
  const port = await freePort();
  const retry = { retryConnectFor: '30s' };
  await using proxy = await TestProxy.start({ ...options(`https://localhost:${port}`), ...retry });
  for (const [protocols, shown] of [
    ['h2', 'GET 2.0 https'],
    ['http/1.1', 'GET 1.1 -'],
    ['h2', 'GET 2.0 https'],
  ] as const) {
    await using _upstream = await new TlsUpstream(protocols).listen(port);
    assert.equal((await request(proxy.url)).body, shown);
    assert.equal((await request(proxy.url)).body, shown);
  }
});

test('an upstream with an unknown certificate is 502, and is trusted again when it has a good one', async () => {
  await using upstream = await new TlsUpstream('both').listen();
  await using proxy = await TestProxy.start({ upstream: [upstream.url], retryConnectFor: '0' });
  const all = Array.from({ length: 10 }, () => request(proxy.url));
  for (const { status } of await Promise.all(all)) assert.equal(status, 502);
  await proxy.reload(options(upstream.url));
  assert.equal((await request(proxy.url)).status, 200);
});

test('gRPC passes to an https upstream, its health too', async () => {
  const checks: unknown[] = [];
  const server = http2.createSecureServer(files);
  server.on('stream', (stream: http2.ServerHttp2Stream, fields) => {
    stream.on('error', () => {});
    const health = fields[':path'] === '/grpc.health.v1.Health/Check';
    if (health) checks.push(fields[':scheme']);
    stream.respond(
      { ':status': 200, 'content-type': 'application/grpc' },
      { waitForTrailers: true },
    );
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
    stream.resume();
    stream.end(framed(health ? '\x08\x01' : 'ok'));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await using proxy = await TestProxy.start({
    ...options(`https://localhost:${port}`),
    healthGrpcService: '',
    healthInterval: '50ms',
  });
  using client = await Http2Client.connect(proxy.url);
  const call = { ':method': 'POST', ':path': '/', 'content-type': 'application/grpc' };
  assert.deepEqual((await client.request(call, framed('x'))).trailers, ['grpc-status', '0']);
  await using web = await TestProxy.start({
    ...options(`https://localhost:${port}`),
    grpcWebOrigins: ['https://page.example'],
  });
  const got = await request(web.url, {
    method: 'POST',
    headers: { 'content-type': 'application/grpc-web' },
    body: framed('x'),
  });
  assert.equal(got.headers['content-type'], 'application/grpc-web');
  assert.match(got.body, /grpc-status: ?0/);
  await eventually(() => checks.length > 2, { what: 'checks' });
  assert.ok(proxy.listeners.clusters[0]!.cluster.endpoints.every(({ healthy }) => healthy));
  server.close();
});

test('gRPC-Web to an https upstream without HTTP/2 is UNAVAILABLE, and other requests pass', async () => {
  await using upstream = await new TlsUpstream('http/1.1').listen();
  await using proxy = await TestProxy.start({
    ...options(upstream.url),
    grpcWebOrigins: ['https://page.example'],
  });
  for (let i = 0; i < 8; i++) {
    const headers = { 'content-type': 'application/grpc-web' };
    const got = await request(proxy.url, { method: 'POST', headers, body: framed('x') });
    assert.equal(got.headers['grpc-status'], '14');
  }
  assert.equal((await request(proxy.url)).body, 'GET 1.1 -');
});
