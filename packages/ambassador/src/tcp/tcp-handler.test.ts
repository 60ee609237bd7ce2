import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import net, { type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import tls from 'node:tls';
import { eventually, freePort, temporaryDirectory } from '@sidekit/test-kit';
import { TestAuthority } from '../testing/certificates.ts';
import { TestProxy } from '../testing/proxy.ts';
import { RawClient } from '../testing/raw.ts';

async function serve(server: net.Server | tls.Server, path?: string) {
  server.listen(path === undefined ? { port: 0, host: '127.0.0.1' } : { path });
  await once(server, 'listening');
  const sockets = new Set<net.Socket>();
  server.on('connection', (socket: net.Socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
  });
  return {
    sockets,
    port: path === undefined ? (server.address() as AddressInfo).port : 0,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Replies once its client has closed its side, which takes half-close. */
const afterEnd = () =>
  net.createServer({ allowHalfOpen: true }, (socket) => {
    let length = 0;
    socket.on('data', (chunk) => (length += chunk.length));
    socket.on('end', () => socket.end(`got ${length}`));
  });

test('each direction ends on its own', async () => {
  await using upstream = await serve(afterEnd());
  await using proxy = await TestProxy.start({
    protocol: 'tcp',
    upstream: [`tcp://127.0.0.1:${upstream.port}`],
  });
  using client = new RawClient(proxy.port);
  client.socket.allowHalfOpen = true;
  client.send('x'.repeat(1_000_000));
  client.socket.end();
  await client.wait('the answer', () => client.received !== '');
  assert.equal(client.received, 'got 1000000');
  await eventually(() => proxy.metric('ambassador_tcp_active_connections') === 0, {
    what: 'no splice',
  });
  assert.equal(proxy.metric('ambassador_tcp_received_bytes_total'), 1_000_000);
});

test('a TLS upstream is verified, also over connections opened in advance', async () => {
  using directory = temporaryDirectory('tcp');
  const authority = new TestAuthority(directory.path);
  const { cert, key } = authority.issue('localhost');
  const server = tls.createServer(
    { cert: readFileSync(cert), key: readFileSync(key), allowHalfOpen: true },
    (socket) => {
      socket.on('error', () => {});
      socket.pipe(socket);
    },
  );
  server.on('tlsClientError', () => {});
  await using upstream = await serve(server);
  const base = {
    protocol: 'tcp',
    direction: 'outbound',
    upstream: [`tls://localhost:${upstream.port}`],
  };
  await using proxy = await TestProxy.start({
    ...base,
    upstreamCa: authority.ca,
    warmConnections: 3,
  });
  await eventually(() => upstream.sockets.size === 3, { what: 'three connections in advance' });
  const clients = Array.from({ length: 5 }, () => new RawClient(proxy.port));
  for (const [i, client] of clients.entries()) client.send(`hello ${i}`);
  for (const [i, client] of clients.entries()) {
    await client.wait('the echo', () => client.received === `hello ${i}`);
    client.socket.destroy();
  }
  await using distrusting = await TestProxy.start(base);
  using refused = new RawClient(distrusting.port);
  refused.send('secret');
  await refused.wait('the end', () => false);
  assert.equal(refused.received, '');
});

test('an unreachable upstream is a reset, after another was tried', async () => {
  const dead = await freePort();
  await using upstream = await serve(afterEnd());
  await using proxy = await TestProxy.start({
    protocol: 'tcp',
    upstream: [`tcp://127.0.0.1:${dead}`, `tcp://127.0.0.1:${upstream.port}`],
    balance: 'round-robin',
  });
  for (let i = 0; i < 4; i++) {
    using client = new RawClient(proxy.port);
    client.socket.allowHalfOpen = true;
    client.socket.end('hello');
    await client.wait('the answer', () => client.received !== '');
    assert.equal(client.received, 'got 5');
  }
  await using alone = await TestProxy.start({
    protocol: 'tcp',
    upstream: [`tcp://127.0.0.1:${dead}`],
  });
  const socket = net.connect(alone.port, '127.0.0.1');
  const [error] = await once(socket, 'error');
  assert.equal(error.code, 'ECONNRESET');
});

test('Unix sockets serve on either side', async () => {
  using directory = temporaryDirectory('unix');
  const path = join(directory.path, 'up.sock');
  await using _ = await serve(afterEnd(), path);
  const door = join(directory.path, 'door.sock');
  await using proxy = await TestProxy.start({
    protocol: 'tcp',
    listen: `unix:${door}`,
    upstream: [`unix:${path}`],
  });
  assert.ok(proxy);
  const socket = net.connect({ path: door, allowHalfOpen: true });
  socket.end('hello');
  let text = '';
  socket.on('data', (chunk) => (text += chunk));
  await once(socket, 'end');
  assert.equal(text, 'got 5');
});

test('a slow reader pauses the other side', async () => {
  let sent = 0;
  const block = Buffer.alloc(64 * 1024);
  await using upstream = await serve(
    net.createServer((socket) => {
      const write = () => {
        while (sent < 200e6 && !socket.destroyed) {
          sent += block.length;
          if (!socket.write(block)) {
            socket.once('drain', write);
            return;
          }
        }
      };
      write();
    }),
  );
  await using proxy = await TestProxy.start({
    protocol: 'tcp',
    upstream: [`tcp://127.0.0.1:${upstream.port}`],
  });
  const socket = net.connect(proxy.port, '127.0.0.1').pause();
  let last = -1;
  await eventually(
    () => {
      const still = sent === last && sent > 0;
      last = sent;
      return still;
    },
    { what: 'the upstream is paused', interval: 100 },
  );
  assert.ok(sent < 100e6, `${sent}`);
  socket.resetAndDestroy();
  await eventually(() => upstream.sockets.size === 0, { what: 'the upstream side is closed' });
});
