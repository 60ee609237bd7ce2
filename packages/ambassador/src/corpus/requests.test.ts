import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { TestProxy } from '../testing/proxy.ts';
import { RawClient, RawServer, requestsIn, withoutIds } from '../testing/raw.ts';

type Request = ReturnType<typeof requestsIn>[number];

interface Case {
  readonly name: string;
  readonly raw: string;
  /** `forward`, the status of a refusal, or `broken body`: its head is forwarded, the body never completes. */
  readonly expect: number | 'forward' | 'broken body';
  /** The number of requests that reach the upstream. */
  readonly forwarded: number;
}

const CASES: Case[] = JSON.parse(readFileSync(new URL('./requests.json', import.meta.url), 'utf8'));
const ANSWER = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

let upstream: RawServer;
/** Returns the complete requests that the upstream received, on any connection. */
const seen: Request[] = [];
let fast: TestProxy;
let full: TestProxy;

before(async () => {
  const answered: number[] = [];
  upstream = await RawServer.start((socket, text, index) => {
    const requests = requestsIn(text);
    const whole = requests.filter((one) => one.complete).length;
    for (let i = answered[index] ?? 0; i < whole; i++) {
      seen.push(requests[i]!);
      socket.write(/^HEAD /.test(requests[i]!.head) ? ANSWER.slice(0, -2) : ANSWER);
    }
    answered[index] = whole;
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

interface Outcome {
  readonly statuses: number[];
  readonly answer: string;
  readonly ended: boolean;
  /** The requests that reached the upstream completely. */
  readonly got: Request[];
}

/** Sends a case in pieces of `piece` bytes and returns the results on both sides. */
async function run(
  proxy: TestProxy,
  { raw, expect, forwarded }: Case,
  piece: number,
): Promise<Outcome> {
  const first = seen.length;
  using client = new RawClient(proxy.port);
  for (let i = 0; i < raw.length; i += piece) {
    client.send(raw.slice(i, i + piece));
    if (piece < raw.length) await new Promise((resolve) => setImmediate(resolve));
  }
  const statuses = () =>
    [...client.received.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, code]) => Number(code));
  await client.wait(`the answer to ${JSON.stringify(raw.slice(0, 200))}`, () =>
    expect === 'forward' ? statuses().length >= forwarded && client.received.length > 0 : false,
  );
  return {
    statuses: statuses(),
    answer: withoutIds(client.received),
    ended: client.ended,
    got: seen.slice(first).map((one) => ({ ...one, head: withoutIds(one.head) })),
  };
}

test('the corpus has its required size', () => {
  assert.ok(CASES.length >= 300, `${CASES.length} cases`);
});

for (const one of CASES) {
  test(`${one.name}: ${one.expect}, and the same in both lanes`, async () => {
    const outcome = await run(fast, one, Number.POSITIVE_INFINITY);
    const { got } = outcome;
    if (one.expect === 'forward') {
      assert.ok(
        outcome.statuses.slice(0, one.forwarded).every((status) => status === 200),
        outcome.answer,
      );
      assert.equal(got.length, one.forwarded);
      for (const request of got) assertCanonical(request.head);
    } else {
      assert.ok(outcome.ended, 'the connection is closed');
      if (one.expect === 'broken body') {
        assert.deepEqual(got, [], 'the upstream never got it whole');
        assert.ok(
          outcome.statuses.every((status) => status >= 400),
          outcome.answer,
        );
      } else {
        assert.deepEqual(outcome.statuses, [one.expect]);
        assert.equal(got.length, 0, 'nothing reached the upstream');
      }
    }
    if (one.expect === 'broken body') return;
    const other = await run(full, one, Number.POSITIVE_INFINITY);
    assert.equal(other.answer, outcome.answer, 'the full lane answers the same');
    assert.deepEqual(other.got, got, 'the full lane forwards the same');
  });
}

test('bytes that arrive one by one change nothing, in either lane', async () => {
  const short = CASES.filter(({ raw, expect }) => raw.length < 120 && expect !== 'broken body');
  assert.ok(short.length > 50);
  await Promise.all(
    [fast, full].map(async (proxy) => {
      for (const one of short.filter((_, i) => i % 4 === 0)) {
        const outcome = await run(proxy, one, 1);
        if (one.expect === 'forward')
          assert.ok(
            outcome.statuses.every(
              (status) => status === 200 || one.forwarded < outcome.statuses.length,
            ),
            one.name,
          );
        else assert.deepEqual(outcome.statuses, [one.expect], one.name);
      }
    }),
  );
});

/** Asserts one reading: CRLF alone, a strict grammar, one Host, one framing, no field of the hop. */
function assertCanonical(head: string) {
  assert.match(
    head,
    /^[!#$%&'*+.^_`|~0-9A-Za-z-]+ [\x21-\x7e]+ HTTP\/1\.1\r\n(?:[!#$%&'*+.^_`|~0-9A-Za-z-]+: [\t\x20-\x7e\x80-\xff]*\r\n)+\r\n$/,
  );
  const names = [...head.matchAll(/\r\n([^:\r\n]+):/g)].map(([, name]) => name!.toLowerCase());
  const count = (name: string) => names.filter((other) => other === name).length;
  assert.equal(count('host'), 1);
  assert.ok(count('content-length') + count('transfer-encoding') <= 1, head);
  for (const name of [
    'connection',
    'keep-alive',
    'proxy-connection',
    'upgrade',
    'http2-settings',
  ]) {
    assert.equal(count(name), 0, name);
  }
  for (const name of ['x-forwarded-for', 'x-forwarded-proto', 'x-request-id', 'traceparent']) {
    assert.equal(count(name), 1, name);
  }
}
