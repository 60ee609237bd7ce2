import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually, temporaryDirectory } from '@sidekit/test-kit';
import { TestProxy } from '../testing/proxy.ts';
import { RawClient, RawServer } from '../testing/raw.ts';
import { request, TestUpstream } from '../testing/upstream.ts';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

for (const fastLane of [true, false]) {
  const lane = fastLane ? 'fast lane' : 'full lane';

  test(`${lane}: a response head with bare CR or LF, or of another protocol, is 502 at once`, async () => {
    for (const head of [
      'HTTP/1.1 200 OK\nContent-Length: 0\n\n',
      'HTTP/1.1 200 OK\r\nA: b\n\r\n',
      'HTTP/1.1 200 OK\rContent-Length: 0\r\r',
      '220 mail.example ESMTP\r\n',
      'RFB',
    ]) {
      await using upstream = await RawServer.start((socket) => socket.write(head));
      await using proxy = await TestProxy.start({ upstream: [upstream.url], fastLane });
      assert.equal((await request(proxy.url)).status, 502);
    }
  });

  test(`${lane}: Keep-Alive: timeout of the upstream ends the reuse of its connection`, async () => {
    await using upstream = await TestUpstream.start((_request, response) => {
      response.setHeader('Keep-Alive', 'timeout=1').end('ok');
    });
    await using proxy = await TestProxy.start({
      upstream: [upstream.url],
      upstreamIdleTimeout: '1h',
      fastLane,
    });
    await request(proxy.url);
    const endpoint = proxy.listeners.clusters[0]!.cluster.endpoints[0]!;
    await eventually(() => endpoint.connections === 0, { what: 'the connection is closed' });
  });

  test(`${lane}: a 408 for an idle connection is not the response to the next request`, async () => {
    await using upstream = await RawServer.start((socket, text, index) => {
      const requests = text.split('\r\n\r\n').length - 1;
      const late = 'HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n';
      if (index === 0 && requests === 2) socket.end(late);
      else socket.write(OK);
    });
    await using proxy = await TestProxy.start({ upstream: [upstream.url], fastLane });
    assert.equal((await request(proxy.url)).status, 200);
    assert.equal((await request(proxy.url)).status, 200);
    assert.equal(upstream.received.length, 2);
  });

  test(`${lane}: a 204 has no Content-Length`, async () => {
    await using upstream = await RawServer.start((socket) =>
      socket.write('HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n'),
    );
    await using proxy = await TestProxy.start({ upstream: [upstream.url], fastLane });
    const { status, headers } = await request(proxy.url);
    assert.equal(status, 204);
    assert.equal(headers['content-length'], undefined);
  });

  test(`${lane}: a 426 names the protocol that it requires, unless that is HTTP`, async () => {
    for (const [protocol, expected] of [
      ['websocket', 'websocket'],
      ['h2c', undefined],
    ] as const) {
      await using upstream = await RawServer.start((socket) =>
        socket.write(
          `HTTP/1.1 426 Upgrade Required\r\nConnection: Upgrade\r\nUpgrade: ${protocol}\r\nContent-Length: 2\r\n\r\nno`,
        ),
      );
      await using proxy = await TestProxy.start({ upstream: [upstream.url], fastLane });
      using client = new RawClient(proxy.port);
      client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
      await client.wait('a response', () => client.received.endsWith('no'));
      assert.equal(/\r\nUpgrade: (.*)\r\n/.exec(client.received)?.[1], expected);
    }
  });

  test(`${lane}: Max-Forwards counts the hops of OPTIONS and TRACE, and 0 is answered here`, async () => {
    await using upstream = await RawServer.start((socket) => socket.write(OK));
    await using proxy = await TestProxy.start({ upstream: [upstream.url], fastLane });
    const send = async (method: string, hops: string) =>
      (await request(proxy.url, { method, headers: { 'max-forwards': hops } })).status;
    assert.equal(await send('OPTIONS', '0'), 204);
    assert.equal(await send('TRACE', '0'), 405);
    assert.deepEqual(upstream.received, []);
    assert.equal(await send('OPTIONS', '3'), 200);
    assert.match(upstream.received[0]!, /max-forwards: 2\r\n/i);
    assert.equal(await send('GET', '0'), 200);
  });

  test(`${lane}: a request that comes back is 508`, async () => {
    await using front = await TestProxy.start({ upstream: ['http://127.0.0.1:1'], fastLane });
    await using back = await TestProxy.start({ upstream: [front.url], fastLane });
    await front.reload({ upstream: [back.url], fastLane });
    assert.equal((await request(front.url)).status, 508);
  });

  test(`${lane}: a listener whose name begins with that of the next is no loop`, async () => {
    using directory = temporaryDirectory('chain');
    const socket = `unix:${directory.path}/web.sock`;
    await using upstream = await RawServer.start((client) => client.write(OK));
    const listeners = [
      { name: 'web-public', listen: '127.0.0.1:0', upstream: [socket] },
      { name: 'web', listen: socket, upstream: [upstream.url] },
    ];
    await using proxy = await TestProxy.start({ listen: undefined, listeners, fastLane });
    assert.equal((await request(proxy.url)).status, 200);
  });

  test(`${lane}: a response that arrived survives a failed write of the body`, async () => {
    await using upstream = await RawServer.start((socket, text) => {
      if (!text.includes('\r\n\r\n')) return;
      socket.write('HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno');
      socket.resetAndDestroy();
    });
    await using proxy = await TestProxy.start({ upstream: [upstream.url], fastLane });
    let forbidden = 0;
    for (let i = 0; i < 30; i++) {
      using client = new RawClient(proxy.port);
      client.send('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n');
      for (let j = 0; j < 20; j++) client.send('1000\r\n'.concat('x'.repeat(4096), '\r\n'));
      client.send('0\r\n\r\n');
      await client.wait('a status', () => client.received.includes('\r\n\r\n'));
      if (client.received.startsWith('HTTP/1.1 403')) forbidden++;
    }
    // A reset may overtake the response in the upstream's own kernel.
    assert.ok(forbidden >= 20, `${forbidden} of 30`);
  });

  test(`${lane}: a client that still uploads reads the early response to its end`, async () => {
    const body = 'x'.repeat(200_000);
    await using upstream = await RawServer.start((socket, text) => {
      if (!text.includes('\r\n\r\n')) return;
      socket.write(`HTTP/1.1 413 Too Large\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
    });
    await using proxy = await TestProxy.start({ upstream: [upstream.url], fastLane });
    for (const chunked of [true, false]) {
      using client = new RawClient(proxy.port);
      const errors: Error[] = [];
      client.socket.on('error', (error) => errors.push(error));
      client.send(
        `POST / HTTP/1.1\r\nHost: a\r\n${chunked ? 'Transfer-Encoding: chunked' : 'Content-Length: 9999999'}\r\n\r\n`,
      );
      const drip = setInterval(() => client.send(chunked ? '3\r\nabc\r\n' : 'abc'), 1);
      await client.wait('the response', () => client.received.length > body.length + 50);
      clearInterval(drip);
      assert.match(client.received, /^HTTP\/1\.1 413 /);
      assert.ok(client.received.endsWith(body));
      assert.deepEqual(errors, []);
    }
  });
}
