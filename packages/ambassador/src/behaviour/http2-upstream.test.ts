import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { ServerHttp2Stream } from 'node:http2';
import { test } from 'node:test';
import { eventually, freePort, staysTrueFor } from '@sidekit/test-kit';
import { Http2Client } from '../testing/http2-client.ts';
import { Http2Upstream } from '../testing/http2-upstream.ts';
import { TestProxy } from '../testing/proxy.ts';
import { later } from '../testing/slow.ts';
import { request, TestUpstream } from '../testing/upstream.ts';

const ok = (stream: ServerHttp2Stream) => {
  stream.respond({ ':status': 200 });
  stream.end('ok');
};

test('HTTP/1.1 and HTTP/2 clients share one session to an HTTP/2 upstream', async () => {
  const seen: string[] = [];
  await using upstream = await Http2Upstream.start((stream, fields) => {
    seen.push(`${fields[':method']} ${fields[':authority']} ${fields[':path']} ${fields.te}`);
    stream.respond({ ':status': 201, 'x-length': `${fields['content-length']}` });
    stream.pipe(stream);
  });
  for (const fastLane of [true, false]) {
    await using proxy = await TestProxy.start({ upstream: [upstream.url], fastLane });
    using client = await Http2Client.connect(proxy.url);
    const before = upstream.opened;
    const headers = { host: 'site.example' };
    const plain = await request(`${proxy.url}/a?b`, { method: 'PUT', body: 'one', headers });
    assert.deepEqual([plain.status, plain.body, plain.headers['x-length']], [201, 'one', '3']);
    const two = await client.request(
      { ':path': '/a?b', ':method': 'PUT', ':authority': 'site.example', te: 'trailers' },
      'two',
    );
    assert.deepEqual([two.status, two.body], [201, 'two']);
    assert.equal((await request(proxy.url, { method: 'HEAD', headers })).status, 201);
    assert.equal(upstream.opened, before + 1);
    await proxy.settled();
  }
  assert.deepEqual(seen.slice(0, 2), [
    'PUT site.example /a?b undefined',
    'PUT site.example /a?b trailers',
  ]);
});

test('calls with streams and trailers in both directions pass as gRPC has them', async () => {
  await using upstream = await Http2Upstream.start((stream, fields) => {
    if (fields[':path'] === '/refused') {
      stream.respond({ ':status': 200, 'grpc-status': '7' }, { endStream: true });
      return;
    }
    stream.respond(
      { ':status': 200, 'content-type': 'application/grpc' },
      { waitForTrailers: true },
    );
    stream.on('wantTrailers', () =>
      stream.sendTrailers({ 'grpc-status': '0', 'grpc-message': 'x' }),
    );
    stream.pipe(stream);
  });
  await using proxy = await TestProxy.start({ upstream: [upstream.url] });
  using client = await Http2Client.connect(proxy.url);
  const call = {
    ':path': '/a.B/C',
    ':method': 'POST',
    te: 'trailers',
    'content-type': 'application/grpc',
  };
  const unary = await client.request(call, '\0\0\0\0\x01x');
  assert.equal(unary.body, '\0\0\0\0\x01x');
  assert.deepEqual(unary.trailers, ['grpc-status', '0', 'grpc-message', 'x']);
  const refused = await client.request({ ...call, ':path': '/refused' }, '');
  assert.ok(refused.fields.includes('grpc-status'));
  // A stream: each message comes back before the next is sent.
  const stream = client.session.request(call);
  stream.setEncoding('latin1');
  for (const message of ['one', 'two', 'three']) {
    stream.write(message);
    const [echoed] = await once(stream, 'data');
    assert.equal(echoed, message);
  }
  stream.end();
  const [trailers] = await once(stream, 'trailers');
  assert.equal(trailers['grpc-status'], '0');
  await once(stream, 'close');
  await proxy.settled();
});

test('requests beyond the limit of an upstream wait, and more sessions are opened up to a limit', async () => {
  let active = 0;
  let most = 0;
  await using upstream = await Http2Upstream.start(
    (stream) => {
      most = Math.max(most, ++active);
      later(30, () => {
        active--;
        ok(stream);
      });
    },
    { settings: { maxConcurrentStreams: 5 } },
  );
  await using proxy = await TestProxy.start({
    upstream: [upstream.url],
    maxUpstreamConnections: 2,
  });
  using client = await Http2Client.connect(proxy.url);
  const all = Array.from({ length: 60 }, () => client.request({ ':path': '/' }));
  for (const { status } of await Promise.all(all)) assert.equal(status, 200);
  assert.ok(upstream.opened <= 2 && most <= 10, `${upstream.opened} sessions, ${most} streams`);
});

test('after GOAWAY requests use another session, and those in progress end on the first', async () => {
  await using upstream = await Http2Upstream.start((stream, fields) => {
    later(fields[':path'] === '/slow' ? 500 : 0, () => ok(stream));
  });
  await using proxy = await TestProxy.start({ upstream: [upstream.url] });
  const slow = request(`${proxy.url}/slow`);
  await eventually(() => upstream.requests === 1, { what: 'the request' });
  for (const session of upstream.sessions) session.close();
  await eventually(
    async () => {
      assert.equal((await request(proxy.url)).status, 200);
      return upstream.opened === 2;
    },
    { what: 'another session' },
  );
  assert.equal((await slow).body, 'ok');
  await proxy.settled();
});

test('a connect is retried until an upstream speaks HTTP/2, and one that does not is 502', async () => {
  const port = await freePort();
  await using proxy = await TestProxy.start({
    upstream: [`h2c://127.0.0.1:${port}`],
    retryConnectFor: '30s',
  });
  const waiting = request(proxy.url, { method: 'POST', body: 'x' });
  await eventually(() => proxy.metric('ambassador_retries_total') > 1, { what: 'retries' });
  await using _upstream = await Http2Upstream.start(ok, { port });
  assert.equal((await waiting).body, 'ok');
  await using old = await TestUpstream.start((_incoming, response) => response.end());
  await using wrong = await TestProxy.start({
    upstream: [`h2c://127.0.0.1:${old.port}`],
    retryConnectFor: '0',
    connectTimeout: '2s',
  });
  assert.match(`${(await request(wrong.url)).status}`, /502|504/);
});

test('a stream that breaks or is canceled ends on both sides, and its session stays', async () => {
  let canceled = 0;
  await using upstream = await Http2Upstream.start((stream, fields) => {
    stream.on('close', () => (canceled += stream.rstCode === 0 ? 0 : 1));
    stream.resume();
    if (fields[':path'] === '/hold') return;
    stream.respond({ ':status': 200 });
    stream.write('half');
    later(30, () => stream.destroy(new Error('broken')));
  });
  await using proxy = await TestProxy.start({ upstream: [upstream.url] });
  using client = await Http2Client.connect(proxy.url);
  const broken = await client.request({ ':path': '/broken' });
  assert.deepEqual([broken.status, broken.body, broken.code], [200, 'half', 2]);
  await assert.rejects(request(`${proxy.url}/broken`));
  const before = canceled;
  const upload = client.session.request({ ':path': '/hold', ':method': 'POST' });
  upload.on('error', () => {});
  upload.write('part');
  await eventually(() => upstream.requests === 3, { what: 'the upload' });
  upload.close(8);
  await eventually(() => canceled > before, { what: 'the cancellation' });
  assert.equal(upstream.opened, 1);
  await proxy.settled();
});

test('large bodies arrive complete in both directions', async () => {
  await using upstream = await Http2Upstream.start((stream) => {
    stream.respond({ ':status': 200 });
    stream.pipe(stream);
  });
  await using proxy = await TestProxy.start({ upstream: [upstream.url] });
  const body = Buffer.alloc(3 << 20, 'b');
  const got = await request(proxy.url, { method: 'POST', body });
  assert.equal(got.body.length, body.length);
  await proxy.settled();
});

test('a health check uses HTTP/2', async () => {
  let status = 200;
  await using upstream = await Http2Upstream.start((stream, fields) => {
    stream.respond(
      { ':status': fields[':path'] === '/healthz' ? status : 200 },
      { endStream: true },
    );
  });
  await using proxy = await TestProxy.start({
    upstream: [upstream.url],
    healthPath: '/healthz',
    healthInterval: '50ms',
  });
  const [endpoint] = proxy.listeners.clusters[0]!.cluster.endpoints;
  await eventually(() => upstream.requests > 2, { what: 'checks' });
  assert.ok(endpoint!.healthy);
  status = 500;
  await eventually(() => !endpoint!.healthy, { what: 'unhealthy' });
});

test('an upstream that allows no streams for a while gets one connection, then the requests', async () => {
  await using upstream = await Http2Upstream.start(
    (stream) => {
      stream.respond();
      stream.end('ok');
    },
    { settings: { maxConcurrentStreams: 0 } },
  );
  await using proxy = await TestProxy.start({ upstream: [upstream.url] });
  using client = await Http2Client.connect(proxy.url);
  const waiting = client.request({ ':path': '/' });
  await eventually(() => upstream.opened > 0, { what: 'a session' });
  await staysTrueFor(() => upstream.opened === 1, 200, { what: 'one session' });
  for (const session of upstream.sessions) session.settings({ maxConcurrentStreams: 10 });
  assert.equal((await waiting).body, 'ok');
});
