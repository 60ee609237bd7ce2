import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TestProxy } from '../testing/proxy.ts';
import { RawClient, RawServer, requestsIn, withoutIds } from '../testing/raw.ts';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

/** Returns the status lines of all responses. */
const statuses = (text: string) => [...text.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, one]) => one);

interface Outcome {
  readonly received: string;
  /** Whether the proxy closed the connection. */
  readonly ended: boolean;
  /** The heads that the upstream received. */
  readonly heads: readonly string[];
}

/**
 * Sends pieces to each lane, one after the other, and a last request after `count` responses; both
 * must give the same responses and forward the same heads.
 */
async function both(
  pieces: readonly string[],
  count: number,
  { response = OK, options = {} }: { response?: string; options?: Record<string, unknown> } = {},
): Promise<Outcome> {
  const outcomes: Outcome[] = [];
  for (const fastLane of [true, false]) {
    const heads: string[] = [];
    const answered: number[] = [];
    await using upstream = await RawServer.start((socket, text, index) => {
      const complete = requestsIn(text).filter((one) => one.complete);
      for (const { head } of complete.slice(answered[index] ?? 0)) {
        heads.push(withoutIds(head));
        socket.write(response, 'latin1');
      }
      answered[index] = complete.length;
    });
    await using proxy = await TestProxy.start({ upstream: [upstream.url], fastLane, ...options });
    using client = new RawClient(proxy.port);
    for (const piece of pieces) {
      const { bytesWritten } = client.socket;
      client.send(piece);
      await client.wait('the piece is read', () => client.socket.bytesWritten > bytesWritten);
      // The next piece is a read of its own.
      await new Promise((resolve) => setImmediate(resolve));
    }
    await client.wait('the responses', () => statuses(client.received).length >= count);
    client.send('GET /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    await client.wait('the end', () => false);
    const last = heads.at(-1)?.startsWith('GET /last ') ?? false;
    outcomes.push({ received: withoutIds(client.received), ended: !last, heads });
  }
  const [fast, full] = outcomes;
  assert.deepEqual(full, fast);
  return fast!;
}

const get = (rest = '') => `GET / HTTP/1.1\r\nHost: a\r\n${rest}\r\n`;
const post = (body: string, size = body.length) =>
  `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${size}\r\n\r\n${body}`;

test('a local reply to a request that is complete keeps the connection, in both lanes', async () => {
  const options = { upstream: [], routes: [{ prefix: '/last', upstream: ['http://127.0.0.1:1'] }] };
  const { received, ended } = await both([post('body') + post('body')], 2, {
    options: { ...options, retryConnectFor: '1ms' },
  });
  assert.deepEqual(statuses(received), ['404', '404', '502']);
  assert.ok(ended);
});

test('a local reply to a request whose body is still to come closes the connection, in both lanes', async () => {
  const { received } = await both([post('bo', 4)], 1, {
    options: { routes: [{ prefix: '/no', upstream: ['http://127.0.0.1:1'] }], upstream: [] },
  });
  assert.deepEqual(statuses(received), ['404']);
  assert.match(received, /\r\nConnection: close\r\n/);
});

test('a 100 that the client did not ask for passes, in both lanes', async () => {
  const response = `HTTP/1.1 100 Go on\r\nX: y\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n${OK}`;
  const { received } = await both([get()], 3, { response });
  assert.ok(
    received.startsWith('HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>'),
  );
});

test('an upgrade that arrives during another request is ignored, in both lanes', async () => {
  const upgrade = get('Connection: Upgrade\r\nUpgrade: websocket\r\n');
  const { heads } = await both([get() + upgrade + upgrade], 3);
  assert.equal(heads.length, 4);
  for (const head of heads) assert.doesNotMatch(head, /upgrade/i);
});

test('the preface of HTTP/2 behind a request is refused, in both lanes', async () => {
  for (const pieces of [
    [`${get()}PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n`],
    [get(), 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
  ]) {
    const { received, heads } = await both(pieces, 2);
    assert.deepEqual(statuses(received), ['200', '400']);
    assert.equal(heads.length, 1);
  }
});

test('an empty Host has a default, in both lanes', async () => {
  const { heads } = await both(['GET / HTTP/1.1\r\nHost:\r\n\r\n'], 1);
  assert.match(heads[0]!, /\r\nHost: localhost\r\n/);
});

test('a response with a status beyond 599, or with two lengths, is refused, in both lanes', async () => {
  for (const response of [
    'HTTP/1.1 600 OK\r\nContent-Length: 2\r\n\r\nok',
    'HTTP/1.1 999 OK\r\nContent-Length: 2\r\n\r\nok',
    'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok',
  ]) {
    const { received } = await both([get()], 1, { response });
    assert.deepEqual(statuses(received)[0], '502');
  }
});

test('any token is a method, wherever packets split it, in both lanes', async () => {
  const request = (method: string, rest = '\r\n') => `${method} / HTTP/1.1\r\nHost: a\r\n${rest}`;
  const chunked = 'Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n';
  const sized = 'Content-Length: 13\r\n\r\na\r\n\r\nLIST / G';
  for (const method of ['LIST', 'BAN', 'x-custom'])
    for (const between of [[], [request('PUT', sized)], [request('PUT', sized), '\r\n']]) {
      const first = [request('POST', chunked), ...between];
      const rest = [
        request(method, 'Content-Length: 2\r\n\r\nok'),
        request('GET'),
        request(method),
      ];
      const bytes = [...first, ...rest].join('');
      const start = first.join('').length;
      for (const cuts of [
        [start],
        [start + 2],
        [start, start + 1],
        [start - 3],
        [start - 3, start + 2],
      ]) {
        const pieces = [0, ...cuts].map((from, i) => bytes.slice(from, cuts[i]));
        const { received, heads } = await both(pieces, between.length > 0 ? 5 : 4);
        assert.deepEqual(new Set(statuses(received)), new Set(['200']), JSON.stringify(pieces));
        assert.deepEqual(
          heads.slice(0, -1).map((head) => head.split(' ')[0]),
          ['POST', ...(between.length > 0 ? ['PUT'] : []), method, 'GET', method],
        );
      }
    }
});
