import assert from 'node:assert/strict';
import type http from 'node:http';
import type net from 'node:net';
import { test } from 'node:test';
import { eventually } from '@sidekit/test-kit';
import { TestProxy } from '../testing/proxy.ts';
import { RawClient, RawServer } from '../testing/raw.ts';
import { TestUpstream } from '../testing/upstream.ts';

const SIZE = 20_000;
/** Larger than what is sent together with a head. */
const HALF = 'x'.repeat(SIZE / 2);

for (const { kind, head } of [
  { kind: 'fast lane', head: `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${SIZE}\r\n\r\n` },
  {
    kind: 'full lane',
    head: `POST / HTTP/1.1\r\nHost: a\r\nTE: trailers\r\nConnection: TE\r\nContent-Length: ${SIZE}\r\n\r\n`,
  },
  {
    kind: 'upgrade',
    head: 'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
  },
]) {
  test(`${kind}: a flow that was held while nothing arrived continues`, async () => {
    let received = 0;
    const count = (from: http.IncomingMessage | net.Socket) =>
      from.on('data', (chunk: Buffer) => (received += chunk.length));
    await using upstream = await TestUpstream.start((incoming, response) => {
      count(incoming).on('end', () => response.end('ok'));
    });
    upstream.server.on('upgrade', (_incoming, socket: net.Socket) => {
      socket.on('error', () => {});
      count(socket).on('end', () => socket.end());
      socket.write(
        'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
      );
    });
    await using proxy = await TestProxy.start({ upstream: [upstream.url] });
    using client = new RawClient(proxy.port);
    client.send(head);
    if (kind === 'upgrade') await client.wait('101', () => client.received.includes('101'));
    client.send(HALF);
    await eventually(() => received === HALF.length, { what: 'the first half' });
    holdOnce(proxy);
    client.send(HALF);
    await eventually(() => received === SIZE, { what: 'the second half' });
  });
}

test('tcp: a flow that was held while nothing arrived continues', async () => {
  await using upstream = await RawServer.start((socket, text) => {
    if (text.length % HALF.length === 0) socket.write('half');
  });
  await using proxy = await TestProxy.start({
    protocol: 'tcp',
    upstream: [`tcp://127.0.0.1:${upstream.port}`],
  });
  using client = new RawClient(proxy.port);
  for (const expected of ['half', 'halfhalf']) {
    client.send(HALF);
    await client.wait(expected, () => client.received === expected);
    assert.equal(client.received, expected);
    holdOnce(proxy);
  }
});

/** Uses the budget up, and gives it back. */
function holdOnce({ memory }: TestProxy) {
  memory.count(2 * memory.limit);
  assert.ok(memory.held);
  memory.count(-2 * memory.limit);
  assert.ok(!memory.held);
}
