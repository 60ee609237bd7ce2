import assert from 'node:assert/strict';
import type net from 'node:net';
import { test } from 'node:test';
import { eventually } from '@sidekit/test-kit';
import { Flag, FrameClient, frame, GET, literals, Type } from '../testing/frames.ts';
import { TestProxy } from '../testing/proxy.ts';
import { RawClient } from '../testing/raw.ts';
import { TestUpstream } from '../testing/upstream.ts';

/** More than the buffers of two sockets hold. */
const LARGE = 32 * 1024 * 1024;
const HUGE_WINDOW = '\x7f\xff\x00\x00';

test('a client that resets its stream and reads on gets nothing of the responses of others', async () => {
  await using upstream = await TestUpstream.start((incoming, response) => {
    const letter = incoming.url!.slice(1);
    response.end(Buffer.alloc(LARGE, letter));
  });
  const sockets = new Set<net.Socket>();
  upstream.server.on('connection', (socket: net.Socket) => sockets.add(socket));
  await using proxy = await TestProxy.start({ upstream: [upstream.url] });
  // INITIAL_WINDOW_SIZE, then the window of the connection.
  using client = new FrameClient(proxy.port, `\0\x04${HUGE_WINDOW}`);
  client.send(frame(Type.windowUpdate, 0, 0, HUGE_WINDOW));
  const path = GET.map(([name, value]) => [name, name === ':path' ? '/a' : value] as const);
  client.send(frame(Type.headers, Flag.endHeaders | Flag.endStream, 1, literals(path)));
  await client.wait('the response', ({ type }) => type === Type.data);
  client.socket.pause();
  const waiting = () => proxy.metric('ambassador_memory_waiting_bytes');
  let last = -1;
  await eventually(
    () => {
      const sent = [...sockets].reduce(
        (sum, one) => sum + one.bytesWritten - one.writableLength,
        0,
      );
      const still = sent === last && waiting() > 0;
      last = sent;
      return still;
    },
    { what: 'the response waits for the client', interval: 200 },
  );
  client.send(frame(Type.reset, 0, 1, '\0\0\0\x08'));
  await eventually(() => waiting() === 0, { what: 'the stream is closed' });
  // Others take over the memory.
  using others = new DisposableStack();
  for (let i = 0; i < 4; i++) {
    const other = others.use(new RawClient(proxy.port));
    other.send('GET /b HTTP/1.1\r\nHost: a\r\n\r\n');
    await other.wait('a response', () => other.received.length > 1024 * 1024);
    other.socket.pause();
  }
  client.socket.resume();
  client.send(frame(Type.ping, 0, 0, '12345678'));
  await client.wait('the end of what was under way', ({ type }) => type === Type.ping);
  for (const { type, payload } of client.frames)
    if (type === Type.data) assert.equal(payload.indexOf('b'), -1, 'bytes of another response');
});
