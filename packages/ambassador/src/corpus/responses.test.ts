import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { TestProxy } from '../testing/proxy.ts';
import { RawClient, RawServer, withoutIds } from '../testing/raw.ts';

interface Case {
  readonly name: string;
  readonly raw: string;
  /** `502`, `STATUS BODY`, or `broken`: a response that begins and visibly never ends. */
  readonly expect: string;
  readonly method: string;
}

const CASES: Case[] = JSON.parse(
  readFileSync(new URL('./responses.json', import.meta.url), 'utf8'),
);

let upstream: RawServer;
let answer = '';
let piece = Number.POSITIVE_INFINITY;
let fast: TestProxy;
let full: TestProxy;

before(async () => {
  upstream = await RawServer.start(async (socket, text) => {
    if (!text.endsWith('\r\n\r\n')) return;
    const [raw, size] = [answer, piece];
    for (let i = 0; i < raw.length; i += size) {
      socket.write(raw.slice(i, i + size), 'latin1');
      if (size < raw.length) await new Promise((resolve) => setImmediate(resolve));
    }
    socket.end();
  });
  // The upstream closes after each response: no connection may be reused.
  const common = { upstream: [upstream.url], retryConnectFor: '0' };
  fast = await TestProxy.start(common);
  full = await TestProxy.start({ ...common, fastLane: false });
});

after(async () => {
  await fast[Symbol.asyncDispose]();
  await full[Symbol.asyncDispose]();
  await upstream[Symbol.asyncDispose]();
});

interface Answer {
  readonly text: string;
  readonly status: string;
  readonly body: string;
  readonly whole: boolean;
}

/** Sends a request and reads the response by its framing until it is complete or cut off. */
async function ask(proxy: TestProxy, one: Case, size = Number.POSITIVE_INFINITY): Promise<Answer> {
  answer = one.raw;
  piece = size;
  using client = new RawClient(proxy.port);
  client.send(`${one.method} / HTTP/1.1\r\nHost: a\r\n\r\n`);
  const final = () => withoutInformational(client.received);
  await client.wait('an answer', () => {
    const read = readAnswer(final(), one.method);
    return read?.whole ?? false;
  });
  // A connection that closes without a head is a response that never ends, too.
  return readAnswer(final(), one.method) ?? { text: '', status: '', body: '', whole: false };
}

function withoutInformational(text: string): string {
  return text.replace(/^(?:HTTP\/1\.1 1\d\d [^\r]*\r\n(?:[^\r\n]+\r\n)*\r\n)+/, '');
}

function readAnswer(text: string, method: string): Answer | undefined {
  const end = text.indexOf('\r\n\r\n');
  if (end === -1) return undefined;
  const head = text.slice(0, end + 4);
  const rest = text.slice(end + 4);
  const status = head.slice(9, 12);
  const done = (body: string, whole: boolean) => ({ text: withoutIds(text), status, body, whole });
  assert.match(
    head,
    /^HTTP\/1\.1 \d{3} [\t\x20-\x7e\x80-\xff]*\r\n(?:[!#$%&'*+.^_`|~0-9A-Za-z-]+: [\t\x20-\x7e\x80-\xff]*\r\n)+\r\n$/,
    'a canonical head',
  );
  for (const name of ['Keep-Alive', 'Proxy-Connection', 'Upgrade']) {
    assert.doesNotMatch(head, new RegExp(`\r\n${name}:`, 'i'));
  }
  const lengths = head.match(/\r\n(?:Content-Length|Transfer-Encoding):/gi) ?? [];
  assert.ok(lengths.length <= 1, head);
  assert.equal(head.match(/\r\nX-Request-Id:/gi)?.length, 1, head);
  if (method === 'HEAD' || status === '204' || status === '304') return done('', rest === '');
  if (/\r\nTransfer-Encoding: chunked\r\n/.test(head)) {
    let body = '';
    let left = rest;
    for (;;) {
      const size = /^([0-9a-f]+)\r\n/.exec(left);
      if (!size) return done(body, false);
      const length = Number.parseInt(size[1]!, 16);
      left = left.slice(size[0].length);
      if (length === 0) return done(body, /^(?:[^\r\n]+\r\n)*\r\n$/.test(left));
      body += left.slice(0, length);
      left = left.slice(length + 2);
    }
  }
  const length = Number(/\r\nContent-Length: (\d+)\r\n/.exec(head)?.[1] ?? Number.NaN);
  return done(rest, rest.length === length);
}

test('the corpus has its required size', () => {
  assert.ok(CASES.length >= 100, `${CASES.length} cases`);
});

for (const one of CASES) {
  test(`${one.name}: ${one.expect}, and the same in both lanes`, async () => {
    const quick = await ask(fast, one);
    const slow = await ask(full, one);
    if (one.expect === 'broken') {
      // How much of it was sent before depends on timing.
      for (const got of [quick, slow])
        assert.ok(!got.whole || got.status === '502', JSON.stringify(got));
      return;
    }
    if (one.expect === '502') {
      assert.equal(quick.status, '502', quick.text);
      assert.ok(quick.whole);
    } else {
      assert.equal(`${quick.status} ${quick.body}`, one.expect);
      assert.ok(quick.whole);
    }
    // The division into chunks has no meaning; everything else must be equal.
    assert.deepEqual([slow.status, slow.body, slow.whole], [quick.status, quick.body, quick.whole]);
    if (quick.whole) assert.equal(head(slow.text), head(quick.text));
  });
}

test('bytes of a response that arrive one by one change nothing, in either lane', async () => {
  for (const one of CASES.filter(({ raw, expect }) => raw.length < 150 && expect !== 'broken')) {
    for (const proxy of [fast, full]) {
      const got = await ask(proxy, one, 1);
      if (one.expect === '502') assert.equal(got.status, '502', one.name);
      else assert.equal(`${got.status} ${got.body}`, one.expect, one.name);
    }
  }
});

function head(text: string): string {
  return text.slice(0, text.indexOf('\r\n\r\n'));
}
