import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import type http from 'node:http';
import net from 'node:net';
import { test } from 'node:test';
import { eventually } from '@sidekit/test-kit';
import { TestProxy } from '../testing/proxy.ts';
import { RawClient } from '../testing/raw.ts';
import { later } from '../testing/slow.ts';
import { request, TestUpstream } from '../testing/upstream.ts';

const BLOCK = randomBytes(64 * 1024);

for (const fastLane of [true, false]) {
  const lane = fastLane ? 'fast lane' : 'full lane';

  for (const chunked of [false, true]) {
    test(`${lane}: large bodies pass completely both ways, ${chunked ? 'in chunks' : 'by length'}`, async () => {
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

  test(`${lane}: a reader that pauses also pauses the upstream, and gets everything when it continues`, async () => {
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
    await eventually(
      () => {
        const still = sent === last && sent > 0;
        last = sent;
        return still;
      },
      { what: 'the upstream is paused', interval: 100 },
    );
    assert.ok(sent < total / 2, `${sent} of ${total} were taken without a reader`);
    let received = 0;
    socket.on('data', (chunk) => (received += chunk.length));
    await eventually(() => received > total, { what: 'all of it' });
    socket.destroy();
  });

  test(`${lane}: a head without a body yet, and each event, are forwarded at once`, async () => {
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

test('pipelined requests are answered in order', async () => {
  await using upstream = await TestUpstream.start((incoming, response) => {
    later(incoming.url === '/1' ? 50 : 0, () => response.end(`<${incoming.url}>`));
  });
  for (const fastLane of [true, false]) {
    await using proxy = await TestProxy.start({ upstream: [upstream.url], fastLane });
    using client = new RawClient(proxy.port);
    client.send([1, 2, 3, 4].map((i) => `GET /${i} HTTP/1.1\r\nHost: a\r\n\r\n`).join(''));
    await client.wait('four answers', () => client.received.includes('</4>'));
    assert.deepEqual(client.received.match(/<\/\d>/g), ['</1>', '</2>', '</3>', '</4>']);
  }
});

function digest(data: Buffer): string {
  return createHash('sha256').update(data).digest('hex');
}
