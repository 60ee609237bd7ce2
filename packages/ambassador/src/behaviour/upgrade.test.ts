import assert from 'node:assert/strict';
import type http from 'node:http';
import type net from 'node:net';
import { test } from 'node:test';
import { TestProxy } from '../testing/proxy.ts';
import { RawClient } from '../testing/raw.ts';
import { sized } from '../testing/sized.ts';
import { TestUpstream } from '../testing/upstream.ts';

test('an upgrade passes bytes both ways, half-close included, and survives resets on both sides', async () => {
  await using upstream = await TestUpstream.start((_request, response) =>
    response.writeHead(426).end('upgrade'),
  );
  upstream.server.on('upgrade', (incoming: http.IncomingMessage, socket: net.Socket) => {
    socket.on('error', () => {});
    if (incoming.url === '/refuse') {
      socket.end('HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\nno');
      return;
    }
    socket.write(
      'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: x\r\n\r\nhello',
    );
    if (incoming.url === '/reset') socket.on('data', () => socket.resetAndDestroy());
    else socket.pipe(socket);
  });
  await using proxy = await TestProxy.start({ upstream: [upstream.url] });
  const open = (path: string) => {
    const client = new RawClient(proxy.port);
    client.send(
      `GET ${path} HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Protocol: a, b\r\n\r\n`,
    );
    return client;
  };
  using echo = open('/echo');
  await echo.wait('101', () => echo.received.endsWith('hello'));
  assert.match(
    echo.received,
    /^HTTP\/1\.1 101 [\s\S]*Connection: Upgrade\r\nUpgrade: websocket\r\n\r\nhello$/,
  );
  echo.send('\x81\x05after');
  await echo.wait('the echo', () => echo.received.endsWith('after'));
  using refused = open('/refuse');
  await refused.wait('403', () => false);
  assert.match(refused.received, /^HTTP\/1\.1 403 No\r\n[\s\S]*no$/);
  for (let i = 0; i < sized(10, 500); i++) {
    using reset = open('/reset');
    await reset.wait('101', () => reset.received.endsWith('hello'));
    reset.send('x');
    await reset.wait('the end', () => false);
    const gone = open('/echo');
    await gone.wait('101', () => gone.received.endsWith('hello'));
    gone.socket.resetAndDestroy();
  }
  echo.socket.destroy();
  await proxy.settled();
});
