import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually, freePort } from '@sidekit/test-kit';
import { TestProxy } from '../testing/proxy.ts';
import { RawClient, RawServer } from '../testing/raw.ts';
import { request, TestUpstream } from '../testing/upstream.ts';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

/** Answers the first request of a connection and breaks the connection at the next. */
async function oncePerConnection() {
  let requests = 0;
  const server = await RawServer.start((socket, text) => {
    const count = text.split('\r\n\r\n').length - 1;
    requests++;
    if (count === 1) socket.write(OK);
    else socket.destroy();
  });
  return { server, requests: () => requests };
}

for (const fastLane of [true, false]) {
  const lane = fastLane ? 'fast lane' : 'full lane';

  test(`${lane}: a request on a reused connection that breaks before any byte of a response is retried once`, async () => {
    const { server, requests } = await oncePerConnection();
    await using _ = server;
    await using proxy = await TestProxy.start({ upstream: [server.url], fastLane });
    assert.equal((await request(proxy.url)).status, 200);
    assert.equal((await request(proxy.url)).status, 200, 'GET again');
    assert.equal(requests(), 3);
    assert.equal(proxy.metric('ambassador_retries_total'), 1);
  });

  test(`${lane}: a POST that was sent is never sent again`, async () => {
    const { server, requests } = await oncePerConnection();
    await using _ = server;
    await using proxy = await TestProxy.start({ upstream: [server.url], fastLane });
    assert.equal((await request(proxy.url)).status, 200);
    const options = { method: 'POST', headers: { 'content-length': '0' } };
    assert.equal((await request(proxy.url, options)).status, 502);
    assert.equal(requests(), 2);
  });

  test(`${lane}: a PUT is sent again with its body, whenever that arrived`, async () => {
    const bodies: string[] = [];
    await using server = await RawServer.start((socket, text) => {
      const [, put] = text.split('PUT ');
      if (put === undefined) {
        if (text.endsWith('\r\n\r\n')) socket.write(OK);
      } else if (text.startsWith('GET ')) {
        // The reused connection breaks after a part of the body.
        if (put.endsWith('one ')) socket.destroy();
      } else if (put.endsWith('two')) {
        bodies.push(put.slice(put.indexOf('\r\n\r\n') + 4));
        socket.write(OK);
      }
    });
    await using proxy = await TestProxy.start({ upstream: [server.url], fastLane });
    assert.equal((await request(proxy.url)).status, 200);
    using client = new RawClient(proxy.port);
    client.send('PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 7\r\n\r\n');
    await eventually(() => server.received[0]!.includes('PUT '), { what: 'the head upstream' });
    client.send('one ');
    await eventually(() => server.received[1]?.endsWith('one '), { what: 'the second try' });
    client.send('two');
    await client.wait('the answer', () => client.received.endsWith('ok'));
    assert.deepEqual(bodies, ['one two']);
  });

  test(`${lane}: the first request on a new connection is never sent again`, async () => {
    let requests = 0;
    await using server = await RawServer.start((socket) => {
      requests++;
      socket.destroy();
    });
    await using proxy = await TestProxy.start({ upstream: [server.url], fastLane });
    assert.equal((await request(proxy.url)).status, 502);
    assert.equal(requests, 1);
  });

  test(`${lane}: a failed connect is retried for any method, until the upstream listens`, async () => {
    const port = await freePort();
    await using proxy = await TestProxy.start({ upstream: [`http://127.0.0.1:${port}`], fastLane });
    const answer = request(proxy.url, { method: 'POST', body: 'once' });
    const bodies: string[] = [];
    await eventually(() => proxy.metric('ambassador_retries_total{') > 0, { what: 'a retry' });
    await using _ = await TestUpstream.start((incoming, response) => {
      incoming.on('data', (chunk) => bodies.push(String(chunk)));
      incoming.on('end', () => response.end('here'));
    }, port);
    assert.equal((await answer).body, 'here');
    assert.deepEqual(bodies, ['once']);
  });
}
