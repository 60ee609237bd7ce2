import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type http2 from 'node:http2';
import { join } from 'node:path';
import { test } from 'node:test';
import type { StatusObject } from '@grpc/grpc-js';
import { eventually, freePort, temporaryDirectory } from '@sidekit/test-kit';
import { type Chat, EchoServer, framed, TestGrpcClient } from '../testing/grpc.ts';
import { Http2Client, type Http2Response } from '../testing/http2-client.ts';
import { Http2Upstream } from '../testing/http2-upstream.ts';
import { TestProgram } from '../testing/program.ts';
import { TestProxy } from '../testing/proxy.ts';
import { request, TestUpstream } from '../testing/upstream.ts';

const CALL = {
  ':method': 'POST',
  ':path': '/test.Echo/Unary',
  'content-type': 'application/grpc',
  te: 'trailers',
};

/** Counts calls by status. */
const calls = (proxy: TestProxy, status: string) =>
  proxy.metric(
    `rpc_server_call_duration_seconds_count{listener="main",rpc_response_status_code="${status}"}`,
  );

/** Answers with a gRPC status in trailers. */
function answer(stream: http2.ServerHttp2Stream, status = 0) {
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': `${status}` }));
  stream.resume();
  stream.end(framed('ok'));
}

/** Reads a Trailers-Only response; -1 if it is anything else. */
function only({ status, fields, body, code }: Http2Response): number {
  const at = fields.indexOf('grpc-status');
  return status === 200 && code === 0 && body === '' && at !== -1 ? Number(fields[at + 1]) : -1;
}

test('unary calls and streams of grpc-js pass, and their status is in metrics and access log', async () => {
  using directory = temporaryDirectory('grpc');
  const file = join(directory.path, 'access.log');
  using server = await EchoServer.start({
    unary: (call, reply) => {
      if (call.request.toString() === 'missing') reply({ code: 5, details: 'no such thing' });
      else reply(null, call.request);
    },
  });
  await using proxy = await TestProxy.start({
    upstream: [server.url],
    accessLog: 'all',
    accessLogFile: file,
  });
  using client = new TestGrpcClient(proxy.port);
  assert.deepEqual(await client.unary('hello'), { code: 0, details: '', message: 'hello' });
  const missing = await client.unary('missing');
  assert.deepEqual([missing.code, missing.details], [5, 'no such thing']);
  const chat = client.chat();
  const received: string[] = [];
  chat.on('data', (message: Buffer) => received.push(message.toString()));
  for (const message of ['one', 'two', 'three']) {
    const before = received.length;
    chat.write(Buffer.from(message));
    await eventually(() => received.length > before, { what: `the echo of ${message}` });
  }
  chat.end();
  const [status] = await once(chat, 'status');
  assert.equal(status.code, 0);
  assert.deepEqual(received, ['one', 'two', 'three']);
  await proxy.settled();
  assert.equal(calls(proxy, 'OK'), 2);
  assert.equal(calls(proxy, 'NOT_FOUND'), 1);
  await eventually(() => readFileSync(file, 'utf8').includes('/test.Echo/Chat'), {
    what: 'the log',
  });
  const lines = readFileSync(file, 'utf8').trim().split('\n');
  assert.deepEqual(
    lines.map((line) => JSON.parse(line).grpcStatus),
    [0, 5, 0],
  );
});

test('a deadline ends a call with DEADLINE_EXCEEDED and cancels it upstream', async () => {
  const canceled: number[] = [];
  const timeouts: unknown[] = [];
  await using upstream = await Http2Upstream.start((stream, fields) => {
    timeouts.push(fields['grpc-timeout']);
    stream.on('close', () => canceled.push(stream.rstCode));
    if (fields['x-answer']) answer(stream);
    else stream.resume();
  });
  await using proxy = await TestProxy.start({ upstream: [upstream.url], responseTimeout: '50ms' });
  using client = await Http2Client.connect(proxy.url);
  const late = await client.request({ ...CALL, 'grpc-timeout': '300m' }, framed('x'));
  assert.equal(only(late), 4);
  await eventually(() => canceled.length === 1, { what: 'the cancellation' });
  assert.equal(canceled[0], 8);
  for (const malformed of ['1', '123456789m', '1s', '-1S', '1.5S', ''])
    assert.equal(
      only(await client.request({ ...CALL, 'grpc-timeout': malformed }, framed('x'))),
      13,
      malformed,
    );
  assert.equal(timeouts.length, 1, 'calls with a malformed deadline are not forwarded');
  assert.equal(calls(proxy, 'DEADLINE_EXCEEDED'), 1);
  for (const asked of ['99999999H', '5S', '99999999n'])
    await client.request({ ...CALL, 'grpc-timeout': asked, 'x-answer': '1' }, framed('x'));
  assert.deepEqual(timeouts.slice(1), ['86400000m', '5S', '99999999n']);
  await using bounded = await TestProxy.start({ upstream: [upstream.url], totalTimeout: '2s' });
  using other = await Http2Client.connect(bounded.url);
  await other.request({ ...CALL, 'grpc-timeout': '1M', 'x-answer': '1' }, framed('x'));
  assert.equal(timeouts.at(-1), '2000m');
});

test('local replies to calls are gRPC statuses over any protocol', async () => {
  const nowhere = `h2c://127.0.0.1:${await freePort()}`;
  for (const [name, code, options, body] of [
    ['an upstream that is away', 14, { retryConnectFor: '0' }, 'x'],
    ['a body that is too large', 8, { maxBody: '6' }, 'far too large'],
    ['no route', 12, { upstream: [], routes: [{ prefix: '/a', upstream: [nowhere] }] }, 'x'],
    ['a rate limit', 14, { rateLimit: 0.001, rateBurst: 1, retryConnectFor: '0' }, 'x'],
  ] as const) {
    await using proxy = await TestProxy.start({ upstream: [nowhere], ...options });
    using client = await Http2Client.connect(proxy.url);
    const sent = framed(body);
    const headers = { ...CALL, 'content-length': `${sent.length}` };
    await client.request(headers, sent);
    assert.equal(only(await client.request(headers, sent)), code, name);
  }
  for (const fastLane of [true, false]) {
    await using proxy = await TestProxy.start({
      upstream: [nowhere],
      retryConnectFor: '0',
      fastLane,
    });
    const headers = { 'content-type': 'application/grpc+proto' };
    const got = await request(proxy.url, { method: 'POST', headers, body: framed('x') });
    assert.deepEqual([got.status, got.headers['grpc-status'], got.body], [200, '14', '']);
    assert.equal(got.headers['grpc-message'], '502 Bad Gateway');
    const json = { 'content-type': 'application/grpcx' };
    const other = await request(proxy.url, { method: 'POST', headers: json, body: framed('x') });
    assert.equal(other.status, 502);
  }
  await using proxy = await TestProxy.start({ upstream: [nowhere] });
  using client = await Http2Client.connect(proxy.url);
  assert.equal(
    only(await client.request({ ...CALL, ':authority': 'a', host: 'b' }, framed('x'))),
    13,
  );
});

test('a call that the upstream has not processed is sent again, whatever its route is', async () => {
  let refused = 0;
  await using upstream = await Http2Upstream.start((stream) => {
    if (refused++ < 3) stream.close(7);
    else answer(stream);
  });
  await using proxy = await TestProxy.start({ upstream: [upstream.url], retryBudget: 0 });
  using client = await Http2Client.connect(proxy.url);
  const got = await client.request(CALL, framed('x'));
  assert.deepEqual([got.status, got.trailers[1]], [200, '0']);
  assert.equal(upstream.requests, 4);
  await proxy.settled();

  await using closing = await Http2Upstream.start((stream) => {
    // Of the first session, the first stream is the last one that is processed.
    if (stream.id === 1 || closing.opened > 1) answer(stream);
    else stream.session!.goaway(0, 1);
  });
  await using second = await TestProxy.start({ upstream: [closing.url], retryBudget: 0 });
  using other = await Http2Client.connect(second.url);
  for (let i = 0; i < 2; i++)
    assert.equal((await other.request(CALL, framed('x'))).trailers[1], '0');
  assert.deepEqual([closing.opened, closing.requests], [2, 3]);
});

test('a stream that is refused again and again is UNAVAILABLE', async () => {
  await using upstream = await Http2Upstream.start((stream) => stream.close(7));
  await using proxy = await TestProxy.start({ upstream: [upstream.url] });
  using client = await Http2Client.connect(proxy.url);
  assert.equal(only(await client.request(CALL, framed('x'))), 14);
  assert.equal(upstream.requests, 4);
  await proxy.settled();
});

test('UNAVAILABLE and lost calls are repeated once, and only if the route is idempotent', async () => {
  let requests = 0;
  await using upstream = await Http2Upstream.start((stream, fields) => {
    if (++requests % 2 === 0) answer(stream);
    else if (fields[':path'] === '/lost') stream.session!.destroy();
    else
      stream.respond(
        { ':status': 200, 'content-type': 'application/grpc', 'grpc-status': '14' },
        { endStream: true },
      );
  });
  const route = (idempotent: boolean) => ({
    upstream: [],
    routes: [{ prefix: '/', upstream: [upstream.url], idempotent }],
  });
  for (const path of ['/unavailable', '/lost']) {
    requests = 0;
    await using proxy = await TestProxy.start(route(true));
    using client = await Http2Client.connect(proxy.url);
    const call = { ...CALL, ':path': path };
    assert.equal((await client.request(call, framed('x'))).trailers[1], '0', path);
    assert.equal(requests, 2);
    assert.equal(calls(proxy, 'OK'), 1);
    await using careful = await TestProxy.start(route(false));
    using other = await Http2Client.connect(careful.url);
    assert.equal(only(await other.request(call, framed('x'))), 14, path);
    assert.equal(requests, 3);
  }
});

test('a stream that breaks upstream ends with a status, not with a reset', async () => {
  await using upstream = await Http2Upstream.start((stream) => {
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' });
    stream.write(framed('first'), () => stream.session!.destroy());
  });
  await using proxy = await TestProxy.start({ upstream: [upstream.url] });
  using client = await Http2Client.connect(proxy.url);
  const got = await client.request(CALL, framed('x'));
  assert.deepEqual([got.status, got.code], [200, 0]);
  assert.deepEqual(got.trailers, ['grpc-status', '14', 'grpc-message', '502 Bad Gateway']);
  assert.equal(calls(proxy, 'UNAVAILABLE'), 1);
  await proxy.settled();
});

test('a call that the client cancels is canceled upstream and counts as CANCELLED', async () => {
  let began = false;
  let canceled = false;
  using server = await EchoServer.start({
    chat: (call) => {
      began = true;
      call.on('cancelled', () => (canceled = true));
    },
  });
  await using proxy = await TestProxy.start({ upstream: [server.url] });
  using client = new TestGrpcClient(proxy.port);
  const chat = client.chat();
  chat.on('error', () => {});
  chat.write(Buffer.from('x'));
  await eventually(() => began, { what: 'the call is upstream' });
  chat.cancel();
  await eventually(() => canceled, { what: 'the cancellation' });
  await eventually(() => calls(proxy, 'CANCELLED') === 1, { what: 'the metric' });
});

test('on SIGTERM, streams without an end get a status before the grace period ends', async () => {
  const open: Chat[] = [];
  using server = await EchoServer.start({
    chat: (call) => {
      open.push(call);
      call.on('error', () => {});
      call.write(Buffer.from('hello'));
    },
  });
  await using program = await TestProgram.serving(
    server.url,
    ...['--grace-period', '10s', '--drain-delay', '100ms'],
  );
  using client = new TestGrpcClient(program.port);
  const chats = Array.from({ length: 20 }, () => client.chat());
  const statuses = chats.map((chat) => {
    chat.on('error', () => {});
    chat.on('data', () => {});
    return new Promise<StatusObject>((resolve) => chat.once('status', resolve));
  });
  await eventually(() => open.length === chats.length, { what: 'the streams' });
  program.process.kill('SIGTERM');
  for (const status of await Promise.all(statuses))
    assert.deepEqual([status.code, status.details], [14, '503 Service Unavailable']);
  assert.equal((await program.process.exited).code, 0);
});

test('a stop ends the streams of a listener that a reload removed, with a status', async () => {
  using server = await EchoServer.start({
    chat: (call) => {
      call.on('error', () => {});
      call.write(Buffer.from('hello'));
    },
  });
  await using proxy = await TestProxy.start({ upstream: [server.url] });
  using client = new TestGrpcClient(proxy.port);
  const chat = client.chat();
  chat.on('error', () => {});
  await once(chat, 'data');
  const status = new Promise<StatusObject>((resolve) => chat.once('status', resolve));
  await proxy.reload({ listen: `127.0.0.1:${await freePort()}`, upstream: [server.url] });
  await proxy.listeners.drain('inbound', 0, performance.now());
  assert.equal((await status).code, 14);
});

test('health is asked for by grpc.health.v1', async () => {
  let serving = 1;
  const asked: string[] = [];
  await using upstream = await Http2Upstream.start((stream, fields) => {
    if (fields[':path'] !== '/grpc.health.v1.Health/Check') {
      answer(stream);
      return;
    }
    stream.on('data', (bytes: Buffer) => asked.push(bytes.toString('latin1')));
    stream.respond(
      { ':status': 200, 'content-type': 'application/grpc' },
      { waitForTrailers: true },
    );
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
    stream.end(framed(`\x08${String.fromCharCode(serving)}`));
  });
  await using proxy = await TestProxy.start({
    upstream: [upstream.url],
    healthGrpcService: 'shop.Cart',
    healthInterval: '50ms',
  });
  const [endpoint] = proxy.listeners.clusters[0]!.cluster.endpoints;
  await eventually(() => asked.length > 2, { what: 'checks' });
  assert.equal(asked[0], '\0\0\0\0\x0b\x0a\x09shop.Cart');
  assert.ok(endpoint!.healthy);
  serving = 2;
  await eventually(() => !endpoint!.healthy, { what: 'unhealthy' });
  using client = await Http2Client.connect(proxy.url);
  assert.equal(only(await client.request(CALL, framed('x'))), 14);
  serving = 1;
  await eventually(() => endpoint!.healthy, { what: 'healthy again' });
  await using plain = await TestUpstream.start((_incoming, response) => response.end());
  await assert.rejects(
    TestProxy.start({ upstream: [plain.url], healthGrpcService: '' }),
    /needs upstreams with the scheme h2c or https/,
  );
});
