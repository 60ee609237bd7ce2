import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '@sidekit/test-kit';
import { EchoServer, framed } from '../testing/grpc.ts';
import { Http2Client } from '../testing/http2-client.ts';
import { Http2Upstream } from '../testing/http2-upstream.ts';
import { TestProxy } from '../testing/proxy.ts';
import { RawClient } from '../testing/raw.ts';
import { request, TestUpstream } from '../testing/upstream.ts';

const BINARY = 'application/grpc-web+proto';
const TEXT = 'application/grpc-web-text+proto';
const UNARY = '/test.Echo/Unary';

/** Splits a body into messages and, behind `trailers:`, the trailers. */
function frames(body: Buffer): string[] {
  const found: string[] = [];
  for (let at = 0; at < body.length; ) {
    const size = body.readUInt32BE(at + 1);
    assert.ok(at + 5 + size <= body.length, 'complete frames');
    const text = body.toString('latin1', at + 5, at + 5 + size);
    found.push(body[at] === 0x80 ? `trailers:${text}` : text);
    at += 5 + size;
  }
  return found;
}

/** Decodes base64 of several padded parts. */
const fromBase64 = (text: string) =>
  Buffer.concat(text.split(/(?<==)(?!=)/).map((part) => Buffer.from(part, 'base64')));

/** Cuts what a client received into the parts of a chunked body. */
function chunked(received: string): string {
  let rest = received.slice(received.indexOf('\r\n\r\n') + 4);
  let body = '';
  for (;;) {
    const end = rest.indexOf('\r\n');
    const size = Number.parseInt(rest.slice(0, end), 16);
    if (end === -1 || !(size > 0)) return body;
    body += rest.slice(end + 2, end + 2 + size);
    rest = rest.slice(end + 4 + size);
  }
}

test('unary calls are translated, binary and text, in both lanes and over HTTP/2', async () => {
  const seen: (string | undefined)[] = [];
  using server = await EchoServer.start({
    unary: (call, reply) => {
      seen.push(String(call.metadata.get('x-app')[0]));
      if (call.request.length === 0) reply({ code: 3, details: 'empty' });
      else reply(null, call.request);
    },
  });
  for (const fastLane of [true, false]) {
    await using proxy = await TestProxy.start({ upstream: [server.url], fastLane });
    using client = await Http2Client.connect(proxy.url);
    for (const type of [BINARY, TEXT]) {
      const text = type === TEXT;
      const encode = (bytes: Buffer) => (text ? bytes.toString('base64') : bytes);
      const decode = (body: string) => (text ? fromBase64(body) : Buffer.from(body, 'latin1'));
      const call = { 'content-type': type, 'x-grpc-web': '1', 'x-app': 'shop' };
      for (const message of ['hello', '\x80\x00\xff'.repeat(20_000)]) {
        const bytes = Buffer.from(message, 'latin1');
        const sent = encode(framed(bytes));
        const got = await request(proxy.url + UNARY, { method: 'POST', headers: call, body: sent });
        assert.deepEqual([got.status, got.headers['content-type']], [200, type]);
        const [echo, trailers] = frames(decode(got.body));
        assert.equal(echo, message);
        assert.match(trailers ?? '', /^trailers:grpc-status: 0\r\n/);
        const two = await client.request({ ':method': 'POST', ':path': UNARY, ...call }, sent);
        assert.equal(frames(decode(two.body))[0], message);
        assert.deepEqual(two.trailers, []);
      }
      const failed = await request(proxy.url + UNARY, {
        method: 'POST',
        headers: call,
        body: encode(framed('')),
      });
      const status = failed.headers['grpc-status'] ?? frames(decode(failed.body)).at(-1);
      assert.match(String(status), /^3$|grpc-status: 3\r\n/);
    }
    await proxy.settled();
    assert.equal(
      proxy.metric(
        'rpc_server_call_duration_seconds_count{listener="main",rpc_response_status_code="INVALID_ARGUMENT"}',
      ),
      2,
    );
  }
  assert.ok(seen.every((value) => value === 'shop'));
});

test('text may be cut anywhere, and each message of a stream comes at once', async () => {
  let next: (() => void) | undefined;
  using server = await EchoServer.start({
    chat: (call) => {
      call.on('error', () => {});
      call.on('data', (message: Buffer) => {
        call.write(message);
        next = () => {
          call.write(Buffer.from('later'));
          call.end();
        };
      });
    },
  });
  await using proxy = await TestProxy.start({ upstream: [server.url] });
  using client = new RawClient(proxy.port);
  const base64 = framed('first').toString('base64');
  client.send(
    `POST /test.Echo/Chat HTTP/1.1\r\nHost: a\r\nContent-Type: ${TEXT}\r\nTransfer-Encoding: chunked\r\n\r\n`,
  );
  for (const character of base64) client.send(`1\r\n${character}\r\n`);
  client.send('0\r\n\r\n');
  await client.wait('the first message', () => chunked(client.received) !== '');
  assert.deepEqual(frames(fromBase64(chunked(client.received))), ['first']);
  next!();
  await client.wait('the end', () => client.received.endsWith('0\r\n\r\n'));
  const [, later, trailers] = frames(fromBase64(chunked(client.received)));
  assert.equal(later, 'later');
  assert.match(trailers ?? '', /^trailers:grpc-status: 0\r\n/);
});

test('bodies that are not messages are refused with a status, and others are not affected', async () => {
  using server = await EchoServer.start();
  const bad: [string, string, string | Buffer, string][] = [
    ['an unknown flag', BINARY, Buffer.from([2, 0, 0, 0, 0]), '13'],
    ['trailers of a client', BINARY, Buffer.from([0x80, 0, 0, 0, 0]), '13'],
    ['an incomplete prefix', BINARY, Buffer.from([0, 0, 0]), '13'],
    ['an incomplete message', BINARY, Buffer.from([0, 0, 0, 0, 9, 1]), '13'],
    ['a message that is too large', BINARY, Buffer.from([0, 0, 1, 0, 0, 1]), '8'],
    ['no base64', TEXT, 'AAAA*AAA', '13'],
    ['incomplete base64', TEXT, 'AAAAAAA', '13'],
  ];
  for (const fastLane of [true, false]) {
    await using proxy = await TestProxy.start({
      upstream: [server.url],
      fastLane,
      maxBody: '1KiB',
    });
    using client = await Http2Client.connect(proxy.url);
    for (const [name, type, body, status] of bad) {
      const call = { 'content-type': type };
      const got = await request(proxy.url + UNARY, { method: 'POST', headers: call, body });
      assert.deepEqual(
        [got.status, got.headers['grpc-status'], got.headers['content-type']],
        [200, status, type],
        name,
      );
      const two = await client.request({ ':method': 'POST', ':path': UNARY, ...call }, body);
      assert.equal(two.fields[two.fields.indexOf('grpc-status') + 1], status, name);
      const good = await client.request(
        { ':method': 'POST', ':path': UNARY, 'content-type': BINARY },
        framed('ok'),
      );
      assert.equal(frames(Buffer.from(good.body, 'latin1'))[0], 'ok');
    }
    await proxy.settled();
  }
});

const FAILURES = 'ambassador_upstream_failures_total{listener="main",flag="UF"}';

test('a response that breaks gets trailers between messages, and a closed connection within one', async () => {
  await using upstream = await Http2Upstream.start((stream, fields) => {
    stream.resume();
    stream.respond({ ':status': 200, 'content-type': 'application/grpc+proto' });
    const bytes = framed('whole');
    if (fields[':path'] === '/flag') bytes[0] = 0x80;
    const piece = fields[':path'] === '/within' ? bytes.subarray(0, 7) : bytes;
    stream.write(piece, () => setImmediate(() => stream.session?.destroy()));
  });
  await using proxy = await TestProxy.start({ upstream: [upstream.url] });
  const call = (path: string) =>
    request(proxy.url + path, {
      method: 'POST',
      headers: { 'content-type': BINARY },
      body: framed('x'),
    });
  const between = frames(Buffer.from((await call('/between')).body, 'latin1'));
  assert.deepEqual(between, [
    'whole',
    'trailers:grpc-status: 14\r\ngrpc-message: 502 Bad Gateway\r\n',
  ]);
  await assert.rejects(call('/within'));
  await assert.rejects(call('/flag'), 'a service cannot send trailers as a message');
  assert.equal(proxy.metric(FAILURES), 3, 'all are faults of the upstream');
  await proxy.settled();
});

test('a response whose upstream ends it within a message never gets trailers there', async () => {
  await using upstream = await Http2Upstream.start((stream) => {
    stream.resume();
    stream.respond(
      { ':status': 200, 'content-type': 'application/grpc+proto' },
      { waitForTrailers: true },
    );
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
    stream.end(framed('a message').subarray(0, 9));
  });
  for (const fastLane of [true, false]) {
    await using proxy = await TestProxy.start({ upstream: [upstream.url], fastLane });
    using client = await Http2Client.connect(proxy.url);
    for (const type of [BINARY, TEXT]) {
      const headers = { 'content-type': type };
      const body = type === TEXT ? framed('x').toString('base64') : framed('x');
      await assert.rejects(request(proxy.url, { method: 'POST', headers, body }));
      const two = await client.request({ ':method': 'POST', ':path': '/', ...headers }, body);
      assert.notEqual(two.code, 0);
    }
    assert.equal(proxy.metric(FAILURES), 4);
    await proxy.settled();
  }
});

test('a response without a status is UNKNOWN, never a success', async () => {
  await using upstream = await Http2Upstream.start((stream) => {
    stream.resume();
    stream.respond({ ':status': 200, 'content-type': 'application/grpc+proto' });
    stream.end(framed('a message'));
  });
  await using proxy = await TestProxy.start({ upstream: [upstream.url] });
  const headers = { 'content-type': BINARY };
  const { body } = await request(proxy.url, { method: 'POST', headers, body: framed('x') });
  const [message, trailers] = frames(Buffer.from(body, 'latin1'));
  assert.equal(message, 'a message');
  assert.match(trailers ?? '', /^trailers:grpc-status: 2\r\n/);
});

test('a stop ends streams over HTTP/1.1 with a status too', async () => {
  using server = await EchoServer.start({
    chat: (call) => {
      call.on('error', () => {});
      call.resume();
      call.write(Buffer.from('hello'));
    },
  });
  for (const [fastLane, type] of [
    [true, BINARY],
    [false, BINARY],
    [true, TEXT],
  ] as const) {
    await using proxy = await TestProxy.start({ upstream: [server.url], fastLane });
    using client = new RawClient(proxy.port);
    const body = type === TEXT ? framed('x').toString('base64') : framed('x').toString('latin1');
    client.send(
      `POST /test.Echo/Chat HTTP/1.1\r\nHost: a\r\nContent-Type: ${type}\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    await client.wait('the first message', () => chunked(client.received) !== '');
    await proxy.listeners.drain('inbound', 0, performance.now());
    await client.wait('the end', () => client.received.endsWith('0\r\n\r\n'));
    const got = chunked(client.received);
    assert.deepEqual(frames(type === TEXT ? fromBase64(got) : Buffer.from(got, 'latin1')), [
      'hello',
      'trailers:grpc-status: 14\r\ngrpc-message: 503 Service Unavailable\r\n',
    ]);
  }
});

test('pages of listed origins may call, and of no other', async () => {
  using server = await EchoServer.start();
  const origin = 'https://app.example.com';
  const options = { upstream: [server.url], grpcWebOrigins: [origin] };
  await using proxy = await TestProxy.start(options);
  const ask = (from: string) =>
    request(proxy.url + UNARY, {
      method: 'OPTIONS',
      headers: {
        origin: from,
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'content-type,x-grpc-web',
      },
    });
  const call = (from: string, body: Buffer) =>
    request(proxy.url + UNARY, {
      method: 'POST',
      headers: { 'content-type': BINARY, origin: from },
      body,
    });
  const allowed = await ask(origin);
  assert.equal(allowed.status, 204);
  assert.equal(allowed.headers['access-control-allow-origin'], origin);
  assert.equal(allowed.headers['access-control-allow-headers'], 'content-type,x-grpc-web');
  for (const body of [framed('x'), Buffer.from([9])]) {
    const answered = await call(origin, body);
    assert.equal(answered.headers['access-control-allow-origin'], origin);
    assert.match(String(answered.headers['access-control-expose-headers']), /grpc-status/);
    assert.equal(answered.headers['access-control-allow-credentials'], undefined);
  }
  for (const other of ['https://evil.example', 'null', `${origin}.evil`, `${origin}:8443`]) {
    const refused = await ask(other);
    assert.equal(refused.headers['access-control-allow-origin'], undefined, other);
    const answered = await call(other, framed('x'));
    assert.equal(answered.headers['access-control-allow-origin'], undefined, other);
  }
  await using plain = await TestProxy.start({ upstream: [server.url] });
  const without = await request(plain.url + UNARY, {
    method: 'POST',
    headers: { 'content-type': BINARY, origin },
    body: framed('x'),
  });
  assert.equal(without.headers['access-control-allow-origin'], undefined);
  await assert.rejects(TestProxy.start({ ...options, grpcWebOrigins: ['*'] }), /must be an origin/);
});

test('an HTTP/1.1 upstream gets gRPC-Web as it is', async () => {
  let type: string | undefined;
  await using upstream = await TestUpstream.start((incoming, response) => {
    type = incoming.headers['content-type'];
    incoming.pipe(response);
  });
  await using proxy = await TestProxy.start({ upstream: [upstream.url] });
  const got = await request(proxy.url, {
    method: 'POST',
    headers: { 'content-type': TEXT },
    body: 'any',
  });
  assert.deepEqual([type, got.body], [TEXT, 'any']);
  await eventually(() => proxy.metric('http_server_active_requests{listener="main"}') === 0, {
    what: 'the end',
  });
});
