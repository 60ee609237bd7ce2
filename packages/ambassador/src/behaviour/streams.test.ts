import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import type http from 'node:http';
import net from 'node:net';
import { test } from 'node:test';
import { until } from '@sidekit/test-kit';
import { TestProxy } from '../testing/proxy.ts';
import { RawClient, RawServer } from '../testing/raw.ts';
import { request, TestUpstream } from '../testing/upstream.ts';

const BLOCK = randomBytes(64 * 1024);

for (const fastLane of [true, false]) {
  const lane = fastLane ? 'fast lane' : 'full lane';

  for (const chunked of [false, true]) {
    test(`${lane}: large bodies pass whole both ways, ${chunked ? 'in chunks' : 'by length'}`, async () => {
      const body = Buffer.concat(Array.from({ length: 80 }, () => BLOCK));
      await using upstream = await TestUpstream.start((incoming, response) => {
        if (!chunked) response.setHeader('content-length', body.length);
        incoming.pipe(response);
      });
      await using proxy = await TestProxy.start({ upstream: [upstream.url], fastLane });
      const got = await request(proxy.url, {
        method: 'PUT',
        body,
        headers: chunked ? { 'transfer-encoding': 'chunked' } : {},
      });
      assert.equal(digest(Buffer.from(got.body, 'latin1')), digest(body));
    });
  }

  test(`${lane}: a reader that stops holds the upstream back, and gets all when it goes on`, async () => {
    const total = 64 * 1024 * 1024;
    let sent = 0;
    await using upstream = await TestUpstream.start((_request, response) => {
      response.setHeader('content-length', total);
      const write = () => {
        while (sent < total) {
          sent += BLOCK.length;
          if (!response.write(BLOCK)) {
            response.once('drain', write);
            return;
          }
        }
        response.end();
      };
      write();
    });
    await using proxy = await TestProxy.start({ upstream: [upstream.url], fastLane });
    const socket = net.connect(proxy.port, '127.0.0.1');
    socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    let last = -1;
    await until(
      () => {
        const still = sent === last && sent > 0;
        last = sent;
        return still;
      },
      { what: 'the upstream is held back', interval: 100 },
    );
    assert.ok(sent < total / 2, `${sent} of ${total} were taken without a reader`);
    let received = 0;
    socket.on('data', (chunk) => (received += chunk.length));
    await until(() => received > total, { what: 'all of it', timeout: 20_000 });
    socket.destroy();
  });

  test(`${lane}: a head that comes alone, and each event, are passed on at once`, async () => {
    let push: http.ServerResponse | undefined;
    await using upstream = await TestUpstream.start((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.flushHeaders();
      push = response;
    });
    await using proxy = await TestProxy.start({ upstream: [upstream.url], fastLane });
    using client = new RawClient(proxy.port);
    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await client.wait('the head', () => client.received.includes('text/event-stream'));
    push!.write('data: 1\n\n');
    await client.wait('the first event', () => client.received.includes('data: 1\n\n'));
    push!.write('data: 2\n\n');
    await client.wait('the second event', () => client.received.includes('data: 2\n\n'));
    assert.equal(client.ended, false);
  });

  test(`${lane}: trailers pass both ways`, async () => {
    await using upstream = await TestUpstream.start((incoming, response) => {
      incoming.resume().on('end', () => {
        response.writeHead(200, { trailer: 'x-sum', 'x-got': incoming.trailers['x-in'] ?? '' });
        response.write('body');
        response.addTrailers({ 'x-sum': '42' });
        response.end();
      });
    });
    await using proxy = await TestProxy.start({ upstream: [upstream.url], fastLane });
    using client = new RawClient(proxy.port);
    client.send(
      'POST / HTTP/1.1\r\nHost: a\r\nTE: trailers\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-In: yes\r\n\r\n',
    );
    await client.wait(
      'the trailers',
      () => client.received.endsWith('\r\n\r\n') && client.received.includes('\r\n0\r\n'),
    );
    assert.match(client.received, /x-got: yes/);
    assert.match(client.received, /\r\n0\r\nx-sum: 42\r\n\r\n$/);
  });

  test(`${lane}: an abort at every octet of a request leaves nothing behind`, async () => {
    await using upstream = await TestUpstream.start((incoming, response) => {
      incoming.resume().on('end', () => response.end('ok'));
    });
    await using proxy = await TestProxy.start({ upstream: [upstream.url], fastLane });
    const raw = 'POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello';
    for (let i = 0; i <= raw.length; i++) {
      const socket = net.connect(proxy.port, '127.0.0.1');
      socket.on('error', () => {});
      socket.write(raw.slice(0, i), () => (i % 2 ? socket.resetAndDestroy() : socket.end()));
    }
    await settled(proxy);
    assert.equal((await request(proxy.url)).body, 'ok');
  });

  test(`${lane}: an abort at every octet of a response leaves nothing behind`, async () => {
    const raw = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n';
    let at = 0;
    await using upstream = await RawServer.start((socket, text) => {
      if (!text.endsWith('\r\n\r\n')) return;
      socket.write(raw.slice(0, at), () => (at % 2 ? socket.resetAndDestroy() : socket.end()));
    });
    await using proxy = await TestProxy.start({ upstream: [upstream.url], fastLane });
    for (at = 0; at <= raw.length; at++) {
      const got = await request(proxy.url).catch((error) => ({ status: 0, body: String(error) }));
      assert.ok(
        at === raw.length
          ? got.body === 'abc'
          : got.status !== 200 || got.body !== 'abc' || at % 2 === 1,
        `${at}: ${got.status} ${got.body}`,
      );
    }
    await settled(proxy);
  });

  test(`${lane}: a client that goes away in a download frees the upstream`, async () => {
    let closed = 0;
    await using upstream = await TestUpstream.start((_request, response) => {
      response.on('close', () => closed++);
      response.writeHead(200, { 'content-length': 1e9 });
      response.write(BLOCK);
    });
    await using proxy = await TestProxy.start({ upstream: [upstream.url], fastLane });
    for (let i = 0; i < 10; i++) {
      using client = new RawClient(proxy.port);
      client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
      await client.wait('a part', () => client.received.length > 1000);
      if (i % 2) client.socket.resetAndDestroy();
    }
    await until(() => closed === 10, { what: 'all upstream requests closed' });
    await settled(proxy);
    assert.equal(
      proxy.metric('http_client_open_connections{listener="main",http_connection_state="idle"}'),
      0,
    );
  });
}

test("Expect: 100-continue is the upstream's to answer", async () => {
  await using upstream = await TestUpstream.start((_incoming, response) => response.end('taken'));
  upstream.server.on(
    'checkContinue',
    (incoming: http.IncomingMessage, response: http.ServerResponse) => {
      if (incoming.url === '/no') response.writeHead(417).end();
      else {
        response.writeContinue();
        incoming.resume().on('end', () => response.end('taken'));
      }
    },
  );
  await using proxy = await TestProxy.start({ upstream: [upstream.url] });
  using good = new RawClient(proxy.port);
  good.send('POST /yes HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n');
  await good.wait('100', () => good.received.startsWith('HTTP/1.1 100 '));
  good.send('abc');
  await good.wait('200', () => good.received.endsWith('taken'));
  using bad = new RawClient(proxy.port);
  bad.send('POST /no HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n');
  await bad.wait('417', () => bad.received.includes('417'));
  assert.doesNotMatch(bad.received, /HTTP\/1\.1 100/);
});

test('an upgrade passes octets both ways, half-close included, and survives resets on both sides', async () => {
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
  for (let i = 0; i < 10; i++) {
    using reset = open('/reset');
    await reset.wait('101', () => reset.received.endsWith('hello'));
    reset.send('x');
    await reset.wait('the end', () => false);
    const gone = open('/echo');
    await gone.wait('101', () => gone.received.endsWith('hello'));
    gone.socket.resetAndDestroy();
  }
  echo.socket.destroy();
  await settled(proxy);
});

test('pipelined requests are answered in order', async () => {
  await using upstream = await TestUpstream.start((incoming, response) => {
    setTimeout(() => response.end(`<${incoming.url}>`), incoming.url === '/1' ? 50 : 0);
  });
  for (const fastLane of [true, false]) {
    await using proxy = await TestProxy.start({ upstream: [upstream.url], fastLane });
    using client = new RawClient(proxy.port);
    client.send([1, 2, 3, 4].map((i) => `GET /${i} HTTP/1.1\r\nHost: a\r\n\r\n`).join(''));
    await client.wait('four answers', () => client.received.includes('</4>'));
    assert.deepEqual(client.received.match(/<\/\d>/g), ['</1>', '</2>', '</3>', '</4>']);
  }
});

/** No request is under way and no upstream connection is busy. */
function settled(proxy: TestProxy): Promise<unknown> {
  return until(
    () =>
      proxy.metric('http_server_active_requests{listener="main"}') === 0 &&
      proxy.metric(
        'http_client_open_connections{listener="main",http_connection_state="active"}',
      ) === 0 &&
      proxy.listeners.clusters[0]!.cluster.endpoints.every((one) => one.pending === 0),
    { what: 'everything has ended' },
  );
}

function digest(data: Buffer): string {
  return createHash('sha256').update(data).digest('hex');
}
