import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Flag, type Frame, FrameClient, frame, GET, literals, Type } from '../testing/frames.ts';
import { TestProxy } from '../testing/proxy.ts';
import { RawServer, requestsIn } from '../testing/raw.ts';

type Field = readonly [string, string];
const END = Flag.endHeaders | Flag.endStream;
const head = (fields: readonly Field[], flags: number = END) =>
  frame(Type.headers, flags, 1, literals(fields));
const with_ = (...more: Field[]) => [...GET, ...more];
const replaced = (name: string, value: string): Field[] =>
  GET.map(([key, old]) => [key, key === name ? value : old]);
const without = (name: string) => GET.filter(([key]) => key !== name);
const POST = replaced(':method', 'POST');

/** Requests that must not reach the upstream, and the ways in which they may be refused. */
const REFUSED: readonly [string, readonly Buffer[], RegExp][] = [
  // RFC 9113 §8.3: pseudo-header fields.
  ['no :method', [head(without(':method'))], /400|reset 1/],
  ['no :path', [head(without(':path'))], /400|reset 1/],
  ['no :scheme', [head(without(':scheme'))], /400|reset 1/],
  ['an empty :path', [head(replaced(':path', ''))], /400|reset 1/],
  ['two :path', [head([...GET, [':path', '/b']])], /400|reset 1/],
  ['two :authority', [head([...GET, [':authority', 'b']])], /400|reset 1/],
  ['a pseudo-header after a field', [head([['x-a', '1'], ...GET])], /400|reset 1/],
  ['an unknown pseudo-header', [head(with_([':x', '1']))], /400|reset 1/],
  ['a response pseudo-header', [head(with_([':status', '200']))], /400|reset 1/],
  ['a path without a slash', [head(replaced(':path', 'a'))], /400|reset 1/],
  ['an absolute path', [head(replaced(':path', 'http://a/'))], /400|reset 1/],
  ['an asterisk for GET', [head(replaced(':path', '*'))], /400|reset 1/],
  ['a space in the path', [head(replaced(':path', '/a b'))], /400|reset 1/],
  ['a line break in the path', [head(replaced(':path', '/ HTTP/1.1\r\nX: 1'))], /400|reset 1/],
  ['a fragment', [head(replaced(':path', '/#a'))], /400|reset 1/],
  ['another scheme', [head(replaced(':scheme', 'ftp'))], /400|reset 1/],
  ['a method that is no token', [head(replaced(':method', 'G ET'))], /400|reset 1/],
  [
    'CONNECT',
    [
      head([
        [':method', 'CONNECT'],
        [':authority', 'a:1'],
      ]),
    ],
    /405|400|reset 1/,
  ],
  ['CONNECT with :protocol', [head(with_([':protocol', 'websocket']))], /400|reset 1/],
  // RFC 9113 §8.3.1 and RFC 9110 §7.2: one host.
  ['no host at all', [head(without(':authority'))], /400|reset 1/],
  ['Host that differs', [head(with_(['host', 'b']))], /400|reset 1/],
  ['two Hosts', [head(with_(['host', 'a'], ['host', 'a']))], /400|reset 1/],
  ['user information', [head(replaced(':authority', 'u@a'))], /400|reset 1/],
  ['a path in :authority', [head(replaced(':authority', 'a/b'))], /400|reset 1/],
  ['an empty :authority', [head(replaced(':authority', ''))], /400|reset 1/],
  // RFC 9113 §8.2: fields.
  ['a name in upper case', [head(with_(['X-A', '1']))], /400|reset 1/],
  ['Connection', [head(with_(['connection', 'close']))], /400|reset 1/],
  ['Keep-Alive', [head(with_(['keep-alive', '1']))], /400|reset 1/],
  ['Proxy-Connection', [head(with_(['proxy-connection', 'close']))], /400|reset 1/],
  ['Transfer-Encoding', [head(with_(['transfer-encoding', 'chunked']))], /400|reset 1/],
  ['Upgrade', [head(with_(['upgrade', 'websocket']))], /400|reset 1/],
  ['TE other than trailers', [head(with_(['te', 'gzip']))], /400|reset 1/],
  // RFC 9113 §8.1.1: lengths.
  ['a length without a body', [head(with_(['content-length', '1']))], /400|reset 1/],
  ['two lengths', [head(with_(['content-length', '0'], ['content-length', '0']))], /400|reset 1/],
  ['a length with a sign', [head(with_(['content-length', '+0']))], /400|reset 1/],
  ['a list of lengths', [head(with_(['content-length', '0, 0']))], /400|reset 1/],
  ['an unknown expectation', [head([...POST, ['expect', 'x']], Flag.endHeaders)], /417/],
  ['a long method', [head(replaced(':method', 'A'.repeat(33)))], /400/],
  // SETTINGS are not yet acknowledged.
  [
    'a head that is too large',
    [
      frame(Type.headers, Flag.endStream, 1, literals(with_(['x-a', 'a'.repeat(9000)]))),
      frame(Type.continuation, Flag.endHeaders, 1, literals([['x-b', 'b'.repeat(9000)]])),
    ],
    /431|reset 11/,
  ],
];

test('malformed requests are refused and never reach the upstream', async () => {
  await using upstream = await RawServer.start(() => {});
  await using proxy = await TestProxy.start({ upstream: [upstream.url] });
  await Promise.all(
    REFUSED.map(async ([name, frames, expected]) => {
      using client = new FrameClient(proxy.port);
      client.send(...frames);
      assert.match(await client.outcome(1), expected, name);
    }),
  );
  assert.deepEqual(upstream.received, []);
});

/** Fields that nghttp2 refuses or discards before anybody reads them. */
const MALFORMED: readonly [string, Field][] = [
  ['a space in a name', ['x a', '1']],
  ['a colon in a name', ['x:a', '1']],
  ['an empty name', ['', '1']],
  ['a line break in a value', ['x-a', '1\r\nx-b: 2']],
  ['a NUL in a value', ['x-a', '1\x002']],
  ['a value that starts with space', ['x-a', ' 1']],
];

test('malformed fields are refused or discarded', async () => {
  await using upstream = await RawServer.start((socket) => {
    socket.end('HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n');
  });
  await using proxy = await TestProxy.start({ upstream: [upstream.url] });
  for (const [name, field] of MALFORMED) {
    using client = new FrameClient(proxy.port);
    client.send(head(with_(field, ['x-after', '1'])));
    assert.match(await client.outcome(1), /204|400|reset 1/, name);
  }
  for (const text of upstream.received) {
    assert.match(text, /\r\nx-after: 1\r\n/);
    assert.doesNotMatch(text, /\r\n(?:x-a|x-b|x a|x:a|): /);
  }
});

/** Bodies that contradict their length: the upstream must never get a complete request. */
const BODIES: readonly [string, string, readonly Buffer[]][] = [
  ['a longer body', '2', [frame(Type.data, Flag.endStream, 1, 'abc')]],
  ['a shorter body', '4', [frame(Type.data, Flag.endStream, 1, 'abc')]],
  ['a body that goes on', '2', [frame(Type.data, 0, 1, 'ab'), frame(Type.data, 1, 1, 'c')]],
  ['trailers too early', '4', [frame(Type.data, 0, 1, 'a'), head([['x-t', '1']])]],
];

test('a body that contradicts its length ends the request upstream', async () => {
  await using upstream = await RawServer.start(() => {});
  await using proxy = await TestProxy.start({ upstream: [upstream.url] });
  for (const [name, length, frames] of BODIES) {
    using client = new FrameClient(proxy.port);
    client.send(head([...POST, ['content-length', length]], Flag.endHeaders), ...frames);
    assert.match(await client.outcome(1), /reset 1|reset 2|goaway|400/, name);
  }
  await proxy.settled();
  for (const text of upstream.received)
    for (const { head: line, body } of requestsIn(text))
      assert.ok(body.length <= Number(/Content-Length: (\d+)/.exec(line)?.[1]), text);
});

/** Violations of the framing: connection errors of RFC 9113 §4 to §6, and RFC 7541. */
const CONNECTION_ERRORS: readonly [string, readonly Buffer[], RegExp][] = [
  ['DATA on stream 0', [frame(Type.data, 0, 0, 'a')], /goaway 1/],
  ['DATA on an idle stream', [frame(Type.data, 0, 5, 'a')], /goaway (1|5)/],
  ['HEADERS on stream 0', [frame(Type.headers, END, 0, literals(GET))], /goaway 1/],
  ['HEADERS on an even stream', [frame(Type.headers, END, 2, literals(GET))], /goaway 1/],
  ['SETTINGS on a stream', [frame(Type.settings, 0, 1)], /goaway 1/],
  ['SETTINGS of a wrong size', [frame(Type.settings, 0, 0, '12345')], /goaway 6/],
  ['SETTINGS ACK with a payload', [frame(Type.settings, Flag.ack, 0, '123456')], /goaway 6/],
  ['ENABLE_PUSH of 2', [frame(Type.settings, 0, 0, '\0\x02\0\0\0\x02')], /goaway 1/],
  ['a window of 2^31', [frame(Type.settings, 0, 0, '\0\x04\x80\0\0\0')], /goaway 3/],
  ['a frame size of 1', [frame(Type.settings, 0, 0, '\0\x05\0\0\0\x01')], /goaway 1/],
  ['PING on a stream', [frame(Type.ping, 0, 1, '12345678')], /goaway 1/],
  ['PING of a wrong size', [frame(Type.ping, 0, 0, '1234')], /goaway 6/],
  ['GOAWAY on a stream', [frame(Type.goaway, 0, 1, '\0\0\0\0\0\0\0\0')], /goaway 1/],
  ['PUSH_PROMISE of a client', [frame(Type.push, 4, 1, '\0\0\0\x02')], /goaway 1/],
  ['RST_STREAM on an idle stream', [frame(Type.reset, 0, 1, '\0\0\0\0')], /goaway 1/],
  ['RST_STREAM of a wrong size', [frame(Type.reset, 0, 1, '\0')], /goaway 6/],
  ['WINDOW_UPDATE of 0', [frame(Type.windowUpdate, 0, 0, '\0\0\0\0')], /goaway 1/],
  ['a window beyond 2^31', [frame(Type.windowUpdate, 0, 0, '\x7f\xff\xff\xff')], /goaway 3/],
  ['CONTINUATION alone', [frame(Type.continuation, 4, 1, literals(GET))], /goaway 1/],
  [
    'PING within a head',
    [head(GET, Flag.endStream), frame(Type.ping, 0, 0, '12345678')],
    /goaway 1/,
  ],
  ['padding beyond the frame', [frame(Type.headers, END | Flag.padded, 1, '\x7f')], /goaway 1/],
  ['a frame of 16 KiB and 1 byte', [frame(Type.data, 0, 1, Buffer.alloc(16_385))], /goaway 6/],
  ['an index beyond the table', [frame(Type.headers, END, 1, '\xff\x7f')], /goaway 9/],
  ['a head cut short', [frame(Type.headers, END, 1, '\0\x05ab')], /goaway 9/],
  ['a table larger than allowed', [frame(Type.headers, END, 1, '\x3f\xff\xff\x7f')], /goaway 9/],
];

test('violations of the framing close the connection with their error code', async () => {
  await using upstream = await RawServer.start(() => {});
  await using proxy = await TestProxy.start({ upstream: [upstream.url] });
  await Promise.all(
    CONNECTION_ERRORS.map(async ([name, frames, expected]) => {
      using client = new FrameClient(proxy.port);
      client.send(...frames);
      assert.match(await client.outcome(1), new RegExp(`${expected.source}|closed`), name);
    }),
  );
  assert.deepEqual(upstream.received, []);
});

test('what a receiver must ignore or accept does not disturb a request', async () => {
  await using upstream = await RawServer.start((socket, text) => {
    if (text.endsWith('\r\n\r\n'))
      socket.end('HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n');
  });
  await using proxy = await TestProxy.start({ upstream: [upstream.url] });
  const block = literals(GET);
  const cases: [string, Buffer[]][] = [
    ['unknown frame types', [frame(0x42, 0xff, 0, 'abc'), head(GET)]],
    ['unknown settings', [frame(Type.settings, 0, 0, '\xff\xff\0\0\0\x01'), head(GET)]],
    ['PRIORITY on an idle stream', [frame(Type.priority, 0, 3, '\0\0\0\0\x10'), head(GET)]],
    ['unknown flags', [frame(Type.headers, END | 0x40, 1, block)]],
    [
      'padding',
      [
        frame(
          Type.headers,
          END | Flag.padded,
          1,
          Buffer.concat([Buffer.from([2]), block, Buffer.alloc(2)]),
        ),
      ],
    ],
    [
      'CONTINUATION',
      [
        frame(Type.headers, Flag.endStream, 1, block.subarray(0, 5)),
        frame(Type.continuation, 0, 1),
        frame(Type.continuation, Flag.endHeaders, 1, block.subarray(5)),
      ],
    ],
    ['a Host equal to :authority', [head(with_(['host', 'A']))]],
    ['a Host with the default port', [head(with_(['host', 'a:80']))]],
    ['values that end with a byte of UTF-8', [head(with_(['x-a', 'voil\xc3\xa0']))]],
    ['a Host instead of :authority', [head([...without(':authority'), ['host', 'a']])]],
    ['a PING before', [frame(Type.ping, 0, 0, '12345678'), head(GET)]],
    [
      'many cookies',
      [head(with_(...Array.from({ length: 140 }, () => ['cookie', 'a=1'] as Field)))],
    ],
  ];
  await Promise.all(
    cases.map(async ([name, frames]) => {
      using client = new FrameClient(proxy.port);
      client.send(...frames);
      assert.equal(await client.outcome(1), '204', name);
    }),
  );
  using client = new FrameClient(proxy.port);
  client.send(frame(Type.ping, 0, 0, '12345678'));
  const pong = await client.wait('PING', ({ type, flags }: Frame) => type === 6 && flags === 1);
  assert.equal(pong.payload.toString(), '12345678');
});
