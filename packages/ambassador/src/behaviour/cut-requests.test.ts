import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { METHODS } from 'node:http';
import net from 'node:net';
import { test } from 'node:test';
import tls from 'node:tls';
import { eventually, propertyParameters, temporaryDirectory } from '@sidekit/test-kit';
import fc from 'fast-check';
import { TestAuthority } from '../testing/certificates.ts';
import { TestProxy } from '../testing/proxy.ts';
import { RawServer, requestsIn } from '../testing/raw.ts';

/** A request as it is generated: what a strict reader must find in its bytes. */
interface Sent {
  readonly method: string;
  readonly body: string;
  readonly bytes: string;
  /** Whether nothing behind it may be forwarded. */
  readonly last: boolean;
  /** Whether it must be forwarded. */
  readonly good: boolean;
}

/** Bodies that look like requests, chunks or ends of heads. */
const content = fc.oneof(
  fc.stringMatching(/^[a-z0-9 ]{0,20}$/),
  fc.constantFrom(
    'GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n',
    'LIST /smuggled HTTP/1.1\r\nHost: a\r\n\r\n',
    '\r\n\r\nBAN /smuggled HTTP/1.1\r\nHost: a\r\n\r\n',
    'a\r\n\r\nLIST / G',
    '0\r\n\r\n',
    '\r\n',
    '\r\n\r\n\r\n',
    'LIST ',
    'x'.repeat(70_000),
  ),
);
const method = fc.constantFrom(
  ...['GET', 'POST', 'PUT', 'DELETE', 'LIST', 'BAN', 'x-custom', 'QUERY', 'M-SEARCH', 'SOURCE'],
  ...['DESCRIBE', 'G', 'GETS', 'PRIX', '!#', 'ABCDEFGHIJKLMNOPQRSTUVWXYZ012345'],
);
const empty = fc.constantFrom('', '', '', '\r\n', '\r\n\r\n');
const extra = fc.constantFrom(
  ...['', '', '', 'TE: trailers\r\n', 'X: LIST / HTTP/1.1\r\n', 'Connection: keep-alive\r\n'],
  'Connection: Upgrade\r\nUpgrade: h2c\r\n',
  'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAA\r\n',
);

/** Encodes a body in chunks, with an extension and a trailer. */
function chunks(text: string, size: number, extension: string, trailer: string): string {
  let encoded = '';
  for (let at = 0; at < text.length; at += size) {
    const piece = text.slice(at, at + size);
    encoded += `${piece.length.toString(16)}${extension}\r\n${piece}\r\n`;
  }
  return `${encoded}0${extension}\r\n${trailer}\r\n`;
}

const sound: fc.Arbitrary<Sent> = fc
  .record({
    method,
    body: content,
    framing: fc.constantFrom('none', 'sized', 'chunked'),
    size: fc.integer({ min: 1, max: 40 }),
    extension: fc.constantFrom('', ';a=b', ';LIST=x'),
    trailer: fc.constantFrom('', 'X-T: 1\r\n', 'X-T: LIST / HTTP/1.1\r\n'),
    before: empty,
    extra,
    expect: fc.constantFrom('', '', '', 'Expect: 100-continue\r\n'),
  })
  .map(({ method, body, framing, size, extension, trailer, before, extra, expect }) => {
    const own = framing === 'none' ? '' : body;
    const step = own.length > 1000 ? 30_000 : size;
    const rest =
      framing === 'none'
        ? '\r\n'
        : framing === 'sized'
          ? // Without a body nothing waits for a 100, and node:http closes the connection without one.
            `${own === '' ? '' : expect}Content-Length: ${own.length}\r\n\r\n${own}`
          : `${expect}Transfer-Encoding: chunked\r\n\r\n${chunks(own, step, extension, trailer)}`;
    const head = `${before}${method} /@ HTTP/1.1\r\nHost: a\r\nX-Test: @\r\n${extra}`;
    return { method, body: own, bytes: head + rest, last: false, good: true };
  });

/** Requests after which nothing may be forwarded. */
const final: fc.Arbitrary<Sent> = fc
  .constantFrom<readonly [string, boolean]>(
    ['GET /@ HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n', true],
    ['GET /@ HTTP/1.0\r\nHost: a\r\n\r\n', true],
    ['GET /@ HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n', false],
    ['GET /@ HTTP/1.1\r\nHost : a\r\n\r\n', false],
    ['G\x01T /@ HTTP/1.1\r\nHost: a\r\n\r\n', false],
    ['PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', false],
    ['CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n', false],
    ['GET /@ HTTP/1.1\r\nX\r\n\r\n', false],
    [
      'POST /@ HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      false,
    ],
    ['POST /@ HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx', false],
    ['POST /@ HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: x\r\n\r\n0\r\n\r\n', false],
  )
  .map(([bytes, good]) => ({ method: bytes.split(' ')[0]!, body: '', bytes, last: true, good }));

interface Sequence {
  readonly requests: readonly Sent[];
  /** Ends of packets, as shares of all bytes. */
  readonly cuts: readonly number[];
  /** Ends of packets, in bytes from the start of a request. */
  readonly near: readonly number[];
}

const sequence: fc.Arbitrary<Sequence> = fc.record({
  requests: fc
    .tuple(fc.array(sound, { minLength: 1, maxLength: 4 }), final)
    .map(([many, one]) => [...many, one]),
  cuts: fc.array(
    fc.integer({ min: 1, max: 999 }).map((one) => one / 1000),
    { maxLength: 6 },
  ),
  near: fc.array(fc.integer({ min: -4, max: 40 }), { maxLength: 4 }),
});

/** Decodes a chunked body that the proxy has written. */
function decoded(head: string, body: string): string {
  if (!/\r\nTransfer-Encoding: chunked\r\n/.test(head)) return body;
  let text = '';
  for (let at = 0; ; ) {
    const end = body.indexOf('\r\n', at);
    const size = Number.parseInt(body.slice(at, end), 16);
    if (size === 0) return text;
    text += body.slice(end + 2, end + 2 + size);
    at = end + 4 + size;
  }
}

/** Some responses fill a buffer. */
const answerTo = (target: string) => `<${target}>${target.endsWith('1') ? 'y'.repeat(20_000) : ''}`;

const BEHIND = 'GET /behind HTTP/1.1\r\nHost: a\r\n\r\n';

test('what arrives upstream is what a strict reader finds, wherever packets are cut, in every lane', async () => {
  using directory = temporaryDirectory('cuts');
  const authority = new TestAuthority(directory.path);
  const { cert, key } = authority.issue('localhost');
  /** The requests that arrived, by the name of the sequence. */
  const arrived = new Map<string, string[]>();
  const read: number[] = [];
  await using upstream = await RawServer.start((socket, text, index) => {
    let at = read[index] ?? 0;
    for (const { head, body, complete } of requestsIn(text.slice(at))) {
      if (!complete) break;
      at += head.length + body.length;
      const [verb = '', target = ''] = head.split(' ');
      const [, name = ''] = /^\/(\w+)-(\d+)$/.exec(target) ?? [];
      const own = arrived.get(name) ?? [];
      own.push(`${verb} ${target} ${decoded(head, body)}`);
      arrived.set(name, own);
      const answer = answerTo(target);
      // Without a 100, node:http closes the connection after the response.
      if (head.includes('Expect:')) socket.write('HTTP/1.1 100 Continue\r\n\r\n');
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${answer.length}\r\n\r\n${answer}`);
    }
    read[index] = at;
  });
  const options = { upstream: [upstream.url] };
  await using fast = await TestProxy.start(options);
  await using full = await TestProxy.start({ ...options, fastLane: false });
  await using fastTls = await TestProxy.start({ ...options, tlsCert: cert, tlsKey: key });
  await using fullTls = await TestProxy.start({
    ...options,
    tlsCert: cert,
    tlsKey: key,
    fastLane: false,
  });
  const ca = readFileSync(authority.ca);
  const lanes = [
    {
      lane: 'fast',
      connect: () => net.connect({ port: fast.port, host: '127.0.0.1', noDelay: true }),
    },
    {
      lane: 'full',
      connect: () => net.connect({ port: full.port, host: '127.0.0.1', noDelay: true }),
    },
    {
      lane: 'fasttls',
      connect: () =>
        tls.connect({ port: fastTls.port, host: '127.0.0.1', servername: 'localhost', ca }),
    },
    {
      lane: 'fulltls',
      connect: () =>
        tls.connect({ port: fullTls.port, host: '127.0.0.1', servername: 'localhost', ca }),
    },
  ];
  let [count, refusals] = [0, 0];
  const run = async (lane: (typeof lanes)[number], { requests, cuts, near }: Sequence) => {
    const name = `${lane.lane}${++count}`;
    const texts = requests.map(({ bytes }, i) => bytes.replaceAll('@', `${name}-${i}`));
    const bytes = texts.join('') + BEHIND;
    const starts = texts.map((_, i) => texts.slice(0, i).join('').length);
    const at = [
      ...cuts.map((cut) => Math.floor(cut * bytes.length)),
      ...near.map((n, i) => (starts[(i % (starts.length - 1)) + 1] ?? 0) + n),
    ];
    const ends = [...new Set(at.filter((one) => one > 0 && one < bytes.length)), bytes.length].sort(
      (a, b) => a - b,
    );
    const socket = lane.connect();
    let received = '';
    let closed = false;
    socket.setNoDelay(true);
    socket.setEncoding('latin1');
    socket.on('data', (text) => (received += text));
    socket.on('error', () => {});
    socket.on('close', () => (closed = true));
    let from = 0;
    for (const end of ends) {
      if (!socket.destroyed)
        await new Promise<void>((resolve) =>
          socket.write(bytes.slice(from, end), 'latin1', () => resolve()),
        );
      from = end;
      for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve));
    }
    const wanted = requests.flatMap(({ good, method: verb, body }, i) =>
      good ? [`${verb} /${name}-${i} ${body}`] : [],
    );
    try {
      await eventually(() => closed, { what: 'the connection ends', interval: 1, timeout: 30_000 });
    } catch (error) {
      throw new Error(`${lane.lane} hangs, having ${received.slice(-300)}`, { cause: error });
    } finally {
      socket.destroy();
    }
    const came = arrived.get(name) ?? [];
    const refused = requests[came.length];
    // Where the beginning of a method that Node.js does not know is uncertain, it is refused.
    const uncertain = refused !== undefined && !METHODS.includes(refused.method);
    const upTo = came.length < wanted.length && uncertain ? came.length : wanted.length;
    if (upTo < wanted.length) refusals++;
    assert.deepEqual(came, wanted.slice(0, upTo), lane.lane);
    assert.equal(arrived.get(''), undefined, `${lane.lane} forwards what is no request`);
    const responses = received
      .split(/(?=HTTP\/1\.1 \d{3} )/)
      .filter((one) => !one.startsWith('HTTP/1.1 100 '))
      .map((one) => one.replace(/\r\n.*?\r\n\r\n/s, '|'));
    assert.deepEqual(
      responses.slice(0, upTo),
      came.map((_, i) => `HTTP/1.1 200 OK|${answerTo(`/${name}-${i}`)}`),
      lane.lane,
    );
    const rest = responses.slice(upTo);
    if (upTo === wanted.length && requests.at(-1)!.good) assert.deepEqual(rest, [], lane.lane);
    else assert.match(rest.join(), /^HTTP\/1\.1 4\d\d [^|]*\|4\d\d [^|]*$/, lane.lane);
    arrived.delete(name);
  };
  await fc.assert(
    fc.asyncProperty(sequence, async (one) => {
      await Promise.all(lanes.map((lane) => run(lane, one)));
    }),
    propertyParameters(12),
  );
  // A proxy that refused most of them would prove nothing.
  assert.ok(refusals < count / 5, `${refusals} of ${count}`);
});
