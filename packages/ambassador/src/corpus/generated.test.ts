import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { propertyParameters } from '@sidekit/test-kit';
import fc from 'fast-check';
import { TestProxy } from '../testing/proxy.ts';
import { RawClient, RawServer, requestsIn, withoutIds } from '../testing/raw.ts';

/**
 * Both lanes on generated requests, good and mangled. The short form runs some thousands;
 * SIDEKIT_RUNS=250 makes a million.
 */
const REQUESTS = 4000;
/** Requests of a batch, each on a connection of its own in each lane. */
const BATCH = 16;

let upstream: RawServer;
let fast: TestProxy;
let full: TestProxy;
const seen = new Map<string, string>();

before(async () => {
  const answered: number[] = [];
  upstream = await RawServer.start((socket, text, index) => {
    const requests = requestsIn(text);
    const whole = requests.filter((one) => one.whole);
    for (let i = answered[index] ?? 0; i < whole.length; i++) {
      const { head, body } = whole[i]!;
      const id = /\r\nX-Test: (\d+-\w+)\r\n/.exec(head)?.[1] ?? 'none';
      seen.set(id, (seen.get(id) ?? '') + withoutIds(head.replace(/X-Test: [^\r]*/, '')) + body);
      socket.write(
        `HTTP/1.1 200 OK\r\nContent-Length: ${head.startsWith('HEAD') ? '2\r\n\r\n' : '2\r\n\r\nok'}`,
      );
    }
    answered[index] = whole.length;
  });
  const common = { upstream: [upstream.url] };
  fast = await TestProxy.start(common);
  full = await TestProxy.start({ ...common, fastLane: false });
});

after(async () => {
  await fast[Symbol.asyncDispose]();
  await full[Symbol.asyncDispose]();
  await upstream[Symbol.asyncDispose]();
});

const method = fc.constantFrom(
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'DELETE',
  'OPTIONS',
  'PATCH',
  'get',
  'TRACE',
  'FOO',
);
const target = fc.oneof(
  { weight: 6, arbitrary: fc.webPath().map((path) => `/${path.replace(/^\//, '')}`) },
  { weight: 1, arbitrary: fc.constantFrom('*', 'http://a/x', '/a b', '/%', '/#x', '', '/\x80') },
);
const version = fc.oneof(
  { weight: 12, arbitrary: fc.constant('HTTP/1.1') },
  { weight: 1, arbitrary: fc.constantFrom('HTTP/1.0', 'HTTP/2.0', 'HTTP/1.1 ', '') },
);
const token = fc.stringMatching(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,12}$/);
const value = fc.oneof(
  { weight: 8, arbitrary: fc.stringMatching(/^[ -~]{0,20}$/) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      '\t',
      ' a ',
      '\xe9\xff',
      'a\x00b',
      'a\rb',
      'a\nb',
      'a\r\n b',
      '\x7f',
    ),
  },
);
const special = fc.constantFrom(
  'Connection: close',
  'Connection: keep-alive',
  'Connection: x-a, te',
  'Connection: host',
  'TE: trailers',
  'Upgrade: h2c',
  'Expect: 200',
  'Keep-Alive: 5',
  'Via: 1.0 x',
  'X-Forwarded-For: 1.1.1.1',
  'X-Request-Id: given',
  'Traceparent: bad',
  'Host: b',
  'Host : a',
  ' folded',
  'Transfer-Encoding: identity',
  'Content-Length: +1',
  'Content-Length: 1',
  'nocolon',
  ': x',
  '__proto__: x',
);
const field = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .tuple(token, fc.constantFrom(':', ': ', ':  ', ' :'), value)
      .map((parts) => parts.join('')),
  },
  { weight: 2, arbitrary: special },
);
const body = fc.oneof(
  { weight: 4, arbitrary: fc.constant(['', '']) },
  {
    weight: 3,
    arbitrary: fc
      .stringMatching(/^[ -~]{0,40}$/)
      .map((text) => [`Content-Length: ${text.length}\r\n`, text]),
  },
  {
    weight: 2,
    arbitrary: fc
      .stringMatching(/^[a-z]{1,15}$/)
      .map((text) => [
        'Transfer-Encoding: chunked\r\n',
        `${text.length.toString(16)}\r\n${text}\r\n0\r\n\r\n`,
      ]),
  },
  {
    weight: 1,
    arbitrary: fc.constant(['Content-Length: 3\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n']),
  },
);
const raw = fc
  .tuple(
    method,
    target,
    version,
    fc.array(field, { maxLength: 5 }),
    body,
    fc.constantFrom('\r\n', '\r\n', '\r\n', '\r\n', '\r\n', '\r\n', '\n'),
  )
  .map(
    ([verb, path, protocol, fields, [framing, content], end]) =>
      [`${verb} ${path} ${protocol}`, 'Host: a', 'X-Test: @', ...fields].join(end) +
      `${end}${framing}${end}${content}`,
  );

let serial = 0;
let forwarded = 0;

/** Sends a request and, behind it, one that ends the connection; returns all that came back. */
async function outcome(
  proxy: TestProxy,
  text: string,
  id: string,
): Promise<{ answer: string; upstream: string }> {
  using client = new RawClient(proxy.port);
  client.send(text.replace('X-Test: @', `X-Test: ${id}`));
  client.send('\r\n\r\nGET /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
  await client.wait(`the end of ${JSON.stringify(text)}`, () => false);
  const got = seen.get(id) ?? '';
  seen.delete(id);
  return { answer: withoutIds(client.received), upstream: got };
}

test('both lanes give the same octets, upstream and downstream, for any request', async (t) => {
  const parameters = { seed: Date.now() % 2 ** 31, ...propertyParameters(REQUESTS / BATCH) };
  await fc.assert(
    fc.asyncProperty(fc.array(raw, { minLength: BATCH, maxLength: BATCH }), async (texts) => {
      await Promise.all(
        texts.map(async (text) => {
          const id = ++serial;
          const [one, two] = await Promise.all([
            outcome(fast, text, `${id}-fast`),
            outcome(full, text, `${id}-full`),
          ]);
          if (one.upstream !== '') forwarded++;
          assert.equal(two.upstream, one.upstream, `upstream of ${JSON.stringify(text)}`);
          assert.equal(two.answer, one.answer, `answer to ${JSON.stringify(text)}`);
        }),
      );
    }),
    parameters,
  );
  t.diagnostic(`${serial} requests, ${forwarded} forwarded, seed ${parameters.seed}`);
  // A generator that makes only nonsense would prove nothing.
  assert.ok(forwarded > serial / 5 && forwarded < serial, `${forwarded} of ${serial} forwarded`);
});
