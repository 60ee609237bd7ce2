import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type http from 'node:http';
import https from 'node:https';
import { after, test } from 'node:test';
import { eventually, temporaryDirectory } from '@sidekit/test-kit';
import { TestAuthority } from '../testing/certificates.ts';
import { Flag, FrameClient, frame, GET, literals, Type } from '../testing/frames.ts';
import { Http2Client } from '../testing/http2-client.ts';
import { TestProxy } from '../testing/proxy.ts';
import { RawServer, requestsIn, withoutIds } from '../testing/raw.ts';
import { later } from '../testing/slow.ts';
import { request, TestUpstream } from '../testing/upstream.ts';

const directory = temporaryDirectory('http2');
after(() => directory.remove());
const authority = new TestAuthority(directory.path);
const server = authority.issue('localhost');
const ca = readFileSync(authority.ca);

/** Sends the request's body and trailers back. */
function echo(incoming: http.IncomingMessage, response: http.ServerResponse) {
  response.setHeader('X-Method', incoming.method!);
  if (incoming.headers.te === 'trailers') response.setHeader('Trailer', 'X-Sum');
  incoming.pipe(response, { end: false });
  incoming.on('end', () => {
    if (incoming.headers.te === 'trailers')
      response.addTrailers({ 'X-Sum': incoming.trailers['x-sum'] ?? 'none' });
    response.end();
  });
}

test('one listener serves HTTP/1.1 and HTTP/2 with prior knowledge', async () => {
  await using upstream = await TestUpstream.start(echo);
  for (const fastLane of [true, false]) {
    await using proxy = await TestProxy.start({ upstream: [upstream.url], fastLane });
    using client = await Http2Client.connect(proxy.url);
    const answered = await client.request({ ':path': '/', ':method': 'PUT' }, 'in');
    assert.equal(answered.status, 200);
    assert.equal(answered.body, 'in');
    assert.equal((await request(proxy.url, { method: 'PUT', body: 'old' })).body, 'old');
    assert.equal(proxy.metric('http_server_request_duration_seconds_count'), 2);
    await proxy.settled();
  }
});

test('with TLS, ALPN selects HTTP/2 or HTTP/1.1', async () => {
  await using upstream = await TestUpstream.start(echo);
  await using proxy = await TestProxy.start({
    upstream: [upstream.url],
    tlsCert: server.cert,
    tlsKey: server.key,
  });
  const url = `https://localhost:${proxy.port}`;
  using client = await Http2Client.connect(url, { ca });
  assert.equal(client.session.alpnProtocol, 'h2');
  assert.equal((await client.request({ ':path': '/' })).status, 200);
  const outgoing = https.get(url, { ca, agent: false });
  const [response] = await once(outgoing, 'response');
  response.resume();
  assert.equal(response.httpVersion, '1.1');
});

test('bodies, trailers and informational responses pass both ways', async () => {
  await using upstream = await TestUpstream.start((incoming, response) => {
    response.writeEarlyHints({ link: '</a>; rel=preload' });
    echo(incoming, response);
  });
  await using proxy = await TestProxy.start({ upstream: [upstream.url] });
  using client = await Http2Client.connect(proxy.url);
  const body = Buffer.alloc(300_000, 'x');
  const sent = { ':path': '/', ':method': 'POST', te: 'trailers' };
  const got = await client.request(sent, body, { 'x-sum': '42' });
  assert.deepEqual(got.informational, [103]);
  assert.equal(got.body.length, body.length);
  assert.deepEqual(got.trailers, ['x-sum', '42']);
  assert.equal(got.code, 0);
  const head = await client.request({ ':path': '/', ':method': 'HEAD' });
  assert.equal(head.status, 200);
  assert.equal(head.body, '');
  await proxy.settled();
});

test('a 205 with a body, which HTTP/2 does not have, is passed on without it', async () => {
  await using upstream = await RawServer.start((socket) =>
    socket.write('HTTP/1.1 205 Reset Content\r\nContent-Length: 2\r\n\r\nok'),
  );
  await using proxy = await TestProxy.start({ upstream: [upstream.url] });
  using client = await Http2Client.connect(proxy.url);
  const { status, code, body } = await client.request({ ':path': '/' });
  assert.deepEqual([status, code, body], [205, 0, '']);
});

test('an HTTP/2 request goes upstream as the same HTTP/1.1 request does', async () => {
  await using upstream = await RawServer.start((socket, text) => {
    if (requestsIn(text).at(-1)?.complete)
      socket.end('HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n', 'latin1');
  });
  await using proxy = await TestProxy.start({ upstream: [upstream.url] });
  using client = await Http2Client.connect(proxy.url);
  const cases: [string, string, Record<string, string>, string?][] = [
    ['GET', '/a?b=%20', { 'x-a': '1', accept: '*/*', cookie: 'a=b; c=d' }],
    ['GET', '/"{}', { 'x-forwarded-for': '1.2.3.4', x_forwarded_for: '1.2.3.4' }],
    ['OPTIONS', '*', { 'max-forwards': '3' }],
    ['LIST', '/', { 'client-cert': ':AA==:', te: 'trailers' }],
    ['POST', '/p', { 'content-length': '5', expect: '100-continue' }, 'hello'],
    ['DELETE', '/d', { 'content-length': '2', via: '1.0 x' }, 'ab'],
    ['PUT', '/', { 'content-length': '0', 'x-request-id': 'given', traceparent: 'bad' }],
  ];
  for (const [method, path, fields, body] of cases) {
    const before = upstream.received.length;
    await client.request(
      { ':method': method, ':path': path, ':authority': 'site.example', ...fields },
      body,
    );
    await request(proxy.url, {
      method,
      path,
      headers: { host: 'site.example', ...fields },
      ...(body === undefined ? {} : { body }),
    });
    await eventually(() => upstream.received.length === before + 2, { what: 'both requests' });
    const [two, one] = upstream.received.slice(before).map(normal);
    assert.equal(two, one, `${method} ${path}`);
  }
});

/** Removes what differs by protocol: ids, the version in Via and the case and order of names. */
function normal(text: string): string {
  const [head, body] = withoutIds(text.replace('Via: 2.0 ', 'Via: 1.1 ')).split('\r\n\r\n');
  const [line, ...fields] = (head ?? '').split('\r\n');
  return [line, ...fields.map((one) => one.replace(/^[^:]+/, (n) => n.toLowerCase())).sort(), body]
    .filter((one) => !/^connection:/.test(one!))
    .join('\n');
}

test('many streams of one session are served at the same time', async () => {
  let active = 0;
  let most = 0;
  await using upstream = await TestUpstream.start((_incoming, response) => {
    most = Math.max(most, ++active);
    later(50, () => {
      active--;
      response.end('ok');
    });
  });
  await using proxy = await TestProxy.start({ upstream: [upstream.url] });
  using client = await Http2Client.connect(proxy.url);
  const all = Array.from({ length: 300 }, (_, i) => client.request({ ':path': `/${i}` }));
  for (const { status, body } of await Promise.all(all)) {
    assert.equal(status, 200);
    assert.equal(body, 'ok');
  }
  assert.ok(most > 20 && most <= 100, `${most} at the same time`);
});

test('an early response stops the upload, and the session stays usable', async () => {
  await using upstream = await TestUpstream.start((_incoming, response) => {
    response.writeHead(413, { connection: 'close' }).end('too large');
  });
  await using proxy = await TestProxy.start({ upstream: [upstream.url] });
  using client = await Http2Client.connect(proxy.url);
  const stream = client.session.request({ ':path': '/', ':method': 'POST' });
  stream.on('error', () => {});
  stream.write(Buffer.alloc(100_000));
  const [fields] = await once(stream, 'response');
  assert.equal(fields[':status'], 413);
  stream.resume();
  await once(stream, 'close');
  assert.equal(stream.rstCode, 0);
  assert.equal((await client.request({ ':path': '/' })).status, 413);
  await proxy.settled();
});

test('a body that ends soon after an early response is not reset', async () => {
  await using upstream = await TestUpstream.start((_incoming, response) => {
    response.writeHead(401, { connection: 'close' }).end();
  });
  await using proxy = await TestProxy.start({ upstream: [upstream.url] });
  using client = new FrameClient(proxy.port);
  const post = GET.map(([name, value]) => [name, name === ':method' ? 'POST' : value] as const);
  client.send(frame(Type.headers, Flag.endHeaders, 1, literals(post)));
  await client.wait('the response', ({ type, stream }) => type === Type.headers && stream === 1);
  client.send(frame(Type.data, Flag.endStream, 1, 'body'));
  await proxy.settled();
  const { requests } = upstream;
  // A request after it: all that belongs to the first one has been received before its response.
  client.send(frame(Type.headers, Flag.endHeaders | Flag.endStream, 3, literals(GET)));
  await client.wait('the next response', ({ stream }) => stream === 3);
  assert.equal(upstream.requests, requests + 1);
  assert.deepEqual(
    client.frames.filter(({ type }) => type === Type.reset),
    [],
  );
});

test('a reset by the client cancels its request, and a broken response resets its stream', async () => {
  let canceled = 0;
  await using upstream = await TestUpstream.start((incoming, response) => {
    response.on('close', () => canceled++);
    incoming.resume();
    if (incoming.url === '/hold') return;
    response.writeHead(200, { 'content-length': '10' }).write('half');
    later(50, () => response.destroy());
  });
  await using proxy = await TestProxy.start({ upstream: [upstream.url] });
  using client = await Http2Client.connect(proxy.url);
  const stream = client.session.request({ ':path': '/hold', ':method': 'POST' });
  stream.on('error', () => {});
  stream.write(Buffer.alloc(200_000));
  await eventually(() => upstream.requests === 1, { what: 'the request' });
  stream.close(8);
  await eventually(() => canceled === 1, { what: 'the end of the request upstream' });
  const broken = await client.request({ ':path': '/broken' });
  assert.equal(broken.status, 200);
  assert.equal(broken.code, 2);
  assert.equal((await client.request({ ':path': '/broken' })).status, 200, 'the session stays');
  await proxy.settled();
});

test('slow readers and slow upstreams meet flow control, not memory', async () => {
  await using upstream = await TestUpstream.start((incoming, response) => {
    if (incoming.method === 'GET') response.end(Buffer.alloc(4 << 20, 'd'));
    else {
      // It is not read before.
      later(1000, () => {
        let size = 0;
        incoming.on('data', (chunk) => (size += chunk.length));
        incoming.on('end', () => response.end(`${size}`));
      });
    }
  });
  await using proxy = await TestProxy.start({ upstream: [upstream.url] });
  using client = await Http2Client.connect(proxy.url);
  const uploads = Array.from({ length: 5 }, () =>
    client.request({ ':path': '/', ':method': 'POST' }, Buffer.alloc(1 << 20, 'u')),
  );
  const slow = client.session.request({ ':path': '/' });
  slow.pause();
  await once(slow, 'response');
  for (const { body } of await Promise.all(uploads)) assert.equal(body, `${1 << 20}`);
  let size = 0;
  slow.on('data', (chunk) => (size += chunk.length));
  slow.resume();
  await once(slow, 'end');
  assert.equal(size, 4 << 20);
  await proxy.settled();
});

test('a client certificate is valid only for the host of its handshake', async () => {
  await using upstream = await TestUpstream.start(echo);
  await using proxy = await TestProxy.start({
    upstream: [upstream.url],
    tlsCert: server.cert,
    tlsKey: server.key,
    tlsClientCa: authority.ca,
  });
  const own = authority.issue('client');
  using client = await Http2Client.connect(`https://localhost:${proxy.port}`, {
    ca,
    cert: readFileSync(own.cert),
    key: readFileSync(own.key),
  });
  assert.equal((await client.request({ ':path': '/' })).status, 200);
  const other = await client.request({ ':path': '/', ':authority': 'other.example' });
  assert.equal(other.status, 421);
});
