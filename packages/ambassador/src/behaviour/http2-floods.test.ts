import assert from 'node:assert/strict';
import { test } from 'node:test';
import v8 from 'node:v8';
import vm from 'node:vm';
import { eventually } from '@sidekit/test-kit';
import { Flag, FrameClient, frame, GET, literals, Type } from '../testing/frames.ts';
import { Http2Client } from '../testing/http2-client.ts';
import { Http2Upstream } from '../testing/http2-upstream.ts';
import { TestProgram } from '../testing/program.ts';
import { TestProxy } from '../testing/proxy.ts';
import { TestUpstream } from '../testing/upstream.ts';

const END = Flag.endHeaders | Flag.endStream;
const get = (stream: number) => frame(Type.headers, END, stream, literals(GET));
const POST = literals(GET.map(([name, value]) => [name, name === ':method' ? 'POST' : value]));
const many = (count: number, make: (i: number) => Buffer) =>
  Array.from({ length: count }, (_, i) => make(i));

/** Floods: each sends frames until the proxy ends the connection; `most` bounds their number. */
const FLOODS: readonly {
  name: string;
  first?: Buffer;
  round: (i: number) => Buffer[];
  most: number;
}[] = [
  {
    name: 'rapid reset',
    round: (i) => [get(2 * i + 1), frame(Type.reset, 0, 2 * i + 1, '\0\0\0\x08')],
    most: 5000,
  },
  {
    name: 'resets that a zero WINDOW_UPDATE provokes',
    round: (i) => [
      frame(Type.headers, Flag.endHeaders, 2 * i + 1, POST),
      frame(Type.windowUpdate, 0, 2 * i + 1, '\0\0\0\0'),
    ],
    most: 5000,
  },
  {
    name: 'resets that malformed heads provoke',
    round: (i) => [frame(Type.headers, END, 2 * i + 1, literals([...GET, ['X', '1']]))],
    most: 5000,
  },
  {
    name: 'SETTINGS',
    round: () => many(100, () => frame(Type.settings, 0, 0)),
    most: 1000,
  },
  {
    name: 'PING',
    round: () => many(100, () => frame(Type.ping, 0, 0, '12345678')),
    most: 1000,
  },
  {
    name: 'empty DATA',
    first: frame(Type.headers, Flag.endHeaders, 1, POST),
    round: () => [frame(Type.data, 0, 1)],
    most: 5000,
  },
  {
    name: 'CONTINUATION',
    first: frame(Type.headers, 0, 1, literals(GET)),
    round: () => [frame(Type.continuation, 0, 1, literals([['x-a', 'a'.repeat(1000)]]))],
    most: 1000,
  },
  {
    name: 'empty CONTINUATION',
    first: frame(Type.headers, 0, 1, literals(GET)),
    round: () => [frame(Type.continuation, 0, 1)],
    most: 1000,
  },
];

test('floods end their own connection, and others do not notice', async () => {
  await using upstream = await TestUpstream.start((incoming, response) => {
    incoming.resume();
    if (incoming.url === '/ok') response.end('ok');
  });
  await using proxy = await TestProxy.start({ upstream: [upstream.url] });
  using other = await Http2Client.connect(proxy.url);
  for (const { name, first, round, most } of FLOODS) {
    using client = new FrameClient(proxy.port);
    if (first) client.send(first);
    let rounds = 0;
    await eventually(
      () => {
        for (let i = 0; i < 20 && rounds < most; i++) client.send(...round(rounds++));
        return client.ended || rounds >= most;
      },
      { what: name, interval: 1 },
    );
    await eventually(() => client.ended, { what: `the end of ${name}, after ${rounds}` });
    assert.equal((await other.request({ ':path': '/ok' })).body, 'ok', name);
  }
  await proxy.settled();
});

test('a session that fails within a head does not end the process once it is collected', async () => {
  v8.setFlagsFromString('--expose-gc');
  const collect: () => void = vm.runInNewContext('gc');
  await using upstream = await TestUpstream.start((incoming) => incoming.resume());
  await using proxy = await TestProxy.start({ upstream: [upstream.url] });
  const fields = literals(
    Array.from({ length: 10 }, (_, i) => [`x-${i}`, 'a'.repeat(1000)] as const),
  );
  const session = async () => {
    using client = new FrameClient(proxy.port);
    const before = upstream.requests;
    client.send(frame(Type.headers, Flag.endHeaders, 1, POST), frame(Type.data, 0, 1, 'abc'));
    await eventually(() => upstream.requests > before, { what: 'the request', interval: 1 });
    client.send(frame(Type.headers, 0, 3, Buffer.concat([POST, fields])));
    for (let i = 0; i < 20; i++) client.send(frame(Type.continuation, 0, 3, fields));
    await eventually(() => client.ended, { what: 'the end', interval: 1 });
  };
  for (let i = 0; i < 20; i++) {
    await Promise.all([session(), session(), session()]);
    if (i % 5 === 4) collect();
  }
  await proxy.settled();
});

test('a head that HPACK inflates is refused by its decoded size', async () => {
  await using upstream = await TestUpstream.start((_incoming, response) => response.end('ok'));
  await using proxy = await TestProxy.start({ upstream: [upstream.url] });
  using client = new FrameClient(proxy.port);
  // One literal that enters the dynamic table (RFC 7541 §6.2.1), then thousands of references.
  const entry = Buffer.concat([
    Buffer.from('@\x03x-a\x7f\x81\x1e', 'latin1'),
    Buffer.alloc(4000, 'a'),
  ]);
  const bomb = Buffer.concat([literals(GET), entry, Buffer.alloc(8000, 0xbe)]);
  client.send(frame(Type.headers, END, 1, bomb));
  assert.match(await client.outcome(1), /431|reset 11|goaway|closed/);
  assert.equal(upstream.requests, 0);
});

test('clients that open no window, send no preface or stop within a head are closed', async () => {
  await using upstream = await TestUpstream.start((_incoming, response) =>
    response.end(Buffer.alloc(1 << 20)),
  );
  await using proxy = await TestProxy.start({
    upstream: [upstream.url],
    streamIdleTimeout: '2s',
    headersTimeout: '2s',
    keepAliveTimeout: '2s',
  });
  // SETTINGS_INITIAL_WINDOW_SIZE of 0.
  using closed = new FrameClient(proxy.port, '\0\x04\0\0\0\0');
  closed.send(get(1));
  await closed.wait('RST_STREAM', ({ type }) => type === Type.reset);
  using silent = new FrameClient(proxy.port, '', 'PRI * HTTP/2.0\r\n');
  using half = new FrameClient(proxy.port);
  half.send(frame(Type.headers, Flag.endStream, 1, literals(GET)));
  await eventually(() => silent.ended && half.ended, { what: 'the end of both' });
  await proxy.settled();
});

test('thousands of streams whose readers have no window stay within the memory budget', async () => {
  await using upstream = await TestUpstream.start((_incoming, response) =>
    response.end(Buffer.alloc(256 << 10)),
  );
  await using program = await TestProgram.serving(upstream.url);
  const before = program.resident;
  const clients = Array.from({ length: 20 }, () => new FrameClient(program.port, '\0\x04\0\0\0\0'));
  for (const client of clients) for (let i = 0; i < 100; i++) client.send(get(2 * i + 1));
  await eventually(
    () => clients.every(({ frames }) => frames.filter(({ type }) => type === 1).length === 100),
    { what: 'all heads' },
  );
  const grown = program.resident - before;
  assert.ok(grown < 150 << 20, `${grown >> 20} MiB for 2000 streams`);
  for (const client of clients) client[Symbol.dispose]();
  await eventually(async () => (await program.metric('http_server_active_requests')) === 0, {
    what: 'the end of all',
  });
});

test('bodies in pieces of one byte for an upstream that takes nothing end with 503 and a flag', async () => {
  const piece = frame(Type.data, 0, 1, 'x');
  await using silent = await Http2Upstream.start((stream) => stream.pause(), {
    settings: { initialWindowSize: 0 },
  });
  await using other = await TestProxy.start({ upstream: [silent.url] }, undefined, 1);
  using client = new FrameClient(other.port);
  client.send(frame(Type.headers, Flag.endHeaders, 1, POST), ...many(60_000, () => piece));
  assert.equal(await client.outcome(1), '503');
  assert.equal(other.metric('ambassador_upstream_failures_total{listener="main",flag="OM"}'), 1);
  await other.settled();
  await eventually(() => other.metric('ambassador_memory_waiting_bytes') === 0, {
    what: 'no waiting',
  });
});
