import assert from 'node:assert/strict';
import net from 'node:net';
import { test } from 'node:test';
import { eventually } from '@sidekit/test-kit';
import { TestProxy } from '../testing/proxy.ts';
import { RawClient, RawServer } from '../testing/raw.ts';
import { request, TestUpstream } from '../testing/upstream.ts';

const REQUESTS = [
  'POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello',
  'PUT /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX: y\r\n\r\n',
];
const RESPONSES = [
  'HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc',
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n',
];

for (const fastLane of [true, false]) {
  const lane = fastLane ? 'fast lane' : 'full lane';

  test(`${lane}: an abort at every byte of a request leaves nothing behind`, async () => {
    await using upstream = await TestUpstream.start((incoming, response) => {
      incoming.resume().on('end', () => response.end('ok'));
    });
    await using proxy = await TestProxy.start({ upstream: [upstream.url], fastLane });
    for (const raw of REQUESTS) {
      for (let i = 0; i <= raw.length; i++) {
        const socket = net.connect(proxy.port, '127.0.0.1');
        socket.on('error', () => {});
        socket.write(raw.slice(0, i), () => (i % 2 ? socket.resetAndDestroy() : socket.end()));
      }
    }
    await proxy.settled();
    assert.equal((await request(proxy.url)).body, 'ok');
  });

  test(`${lane}: an abort at every byte of a response leaves nothing behind`, async () => {
    let raw = '';
    let at = 0;
    await using upstream = await RawServer.start((socket, text) => {
      if (!text.endsWith('\r\n\r\n')) return;
      socket.write(raw.slice(0, at), () => (at % 2 ? socket.resetAndDestroy() : socket.end()));
    });
    await using proxy = await TestProxy.start({ upstream: [upstream.url], fastLane });
    for (raw of RESPONSES)
      for (at = 0; at <= raw.length; at++) {
        const got = await request(proxy.url).catch((error) => ({ status: 0, body: String(error) }));
        assert.ok(
          at === raw.length
            ? got.body === 'abc'
            : got.status !== 200 || got.body !== 'abc' || at % 2 === 1,
          `${at}: ${got.status} ${got.body}`,
        );
      }
    await proxy.settled();
  });

  test(`${lane}: a client that disconnects during a download frees the upstream`, async () => {
    let closed = 0;
    await using upstream = await TestUpstream.start((_request, response) => {
      response.on('close', () => closed++);
      response.writeHead(200, { 'content-length': 1e9 });
      response.write('x'.repeat(64 * 1024));
    });
    await using proxy = await TestProxy.start({ upstream: [upstream.url], fastLane });
    for (let i = 0; i < 10; i++) {
      using client = new RawClient(proxy.port);
      client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
      await client.wait('a part', () => client.received.length > 1000);
      if (i % 2) client.socket.resetAndDestroy();
    }
    await eventually(() => closed === 10, { what: 'all upstream requests closed' });
    await proxy.settled();
    assert.equal(proxy.listeners.clusters[0]!.cluster.endpoints[0]!.connections, 0);
  });

  test(`${lane}: a client that disconnects at every byte of its response leaves nothing behind`, async () => {
    let part = '';
    let sent = 0;
    await using upstream = await RawServer.start((socket, text) => {
      if (text.endsWith('\r\n\r\n')) socket.write(part, () => sent++);
    });
    await using proxy = await TestProxy.start({ upstream: [upstream.url], fastLane });
    let clients = 0;
    for (const answer of RESPONSES) {
      for (let at = 1; at <= answer.length; at++) {
        part = answer.slice(0, at);
        using client = new RawClient(proxy.port);
        client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
        clients++;
        await eventually(() => sent === clients, { what: 'a part of the response', interval: 1 });
        if (at % 2) client.socket.resetAndDestroy();
      }
    }
    await proxy.settled();
    part = RESPONSES[0]!;
    assert.equal((await request(proxy.url)).body, 'abc');
  });
}
