import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually, staysTrueFor } from '@sidekit/test-kit';
import { TestProxy } from '../testing/proxy.ts';
import { RawClient, RawServer, requestsIn } from '../testing/raw.ts';

const CHUNKED = 'Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n';
const SIZED = 'Content-Length: 7\r\n\r\na\r\n\r\nBA';
const DECLINED = 'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAA\r\n';

/** Responds to each complete request with its method. */
async function methods(): Promise<RawServer> {
  const answered: number[] = [];
  return RawServer.start((socket, text, index) => {
    const complete = requestsIn(text).filter((one) => one.complete);
    for (const { head } of complete.slice(answered[index] ?? 0)) {
      const [method = ''] = head.split(' ');
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${method.length + 2}\r\n\r\n<${method}>`);
    }
    answered[index] = complete.length;
  });
}

for (const fastLane of [true, false]) {
  const lane = fastLane ? 'fast lane' : 'full lane';

  /** Sends bytes in one write, and returns the statuses with the bodies that arrive. */
  async function send(text: string, responses: number): Promise<string[]> {
    await using upstream = await methods();
    await using proxy = await TestProxy.start({ upstream: [upstream.url], fastLane });
    using client = new RawClient(proxy.port);
    client.send(text);
    const found = () =>
      [...client.received.matchAll(/HTTP\/1\.1 (\d+) [\s\S]*?\r\n\r\n(?:<(.*?)>)?/g)].map(
        ([, status, method = '']) => `${status} ${method}`.trim(),
      );
    await client.wait('the responses', () => found().length === responses);
    return found();
  }
  const request = (method: string, rest = '\r\n', target = '/') =>
    `${method} ${target} HTTP/1.1\r\nHost: a\r\n${rest}`;

  test(`${lane}: a request begins once the one before it has its response`, async () => {
    const held: (() => void)[] = [];
    await using upstream = await RawServer.start((socket, text) => {
      if (requestsIn(text).at(-1)!.complete)
        held.push(() => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n<>'));
    });
    await using proxy = await TestProxy.start({ upstream: [upstream.url], fastLane });
    using client = new RawClient(proxy.port);
    client.send(request('POST', CHUNKED) + request('POST', SIZED) + request('GET'));
    for (let i = 1; i <= 3; i++) {
      await client.wait('a request', () => held.length > 0);
      await staysTrueFor(() => held.length === 1, 20, { what: 'no other request is forwarded' });
      held.pop()!();
      await client.wait('a response', () => client.received.split('<>').length > i);
    }
  });

  test(`${lane}: no request behind one that is refused is forwarded`, async () => {
    for (const before of ['', request('POST', CHUNKED)]) {
      await using upstream = await methods();
      await using proxy = await TestProxy.start({ upstream: [upstream.url], fastLane });
      using client = new RawClient(proxy.port);
      client.send(`${before}${request('GET', 'Host: b\r\n\r\n')}${request('PUT', SIZED)}`);
      await client.wait('the end', () => false);
      assert.ok(client.received.includes('HTTP/1.1 400 '), client.received);
      assert.ok(!upstream.received.join('').includes('PUT'), upstream.received.join(''));
    }
  });

  test(`${lane}: what arrives after a malformed request is no request`, async () => {
    let respond: (() => void) | undefined;
    await using upstream = await RawServer.start((socket) => {
      respond ??= () => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n<>');
    });
    await using proxy = await TestProxy.start({ upstream: [upstream.url], fastLane });
    using client = new RawClient(proxy.port);
    client.send(`${request('POST', CHUNKED)}G\x01T / HTTP/1.1\r\nHost: a\r\n\r\n`);
    await client.wait('the request', () => respond !== undefined);
    client.send(request('LIST'));
    await staysTrueFor(() => client.received === '', 20, { what: 'no response' });
    respond!();
    await client.wait('the end', () => false);
    assert.match(client.received, /<>HTTP\/1\.1 400 /);
    assert.ok(!upstream.received.join('').includes('LIST'), upstream.received.join(''));
  });

  test(`${lane}: a client that goes away leaves nothing of its pipeline`, async () => {
    let arrived = 0;
    await using upstream = await RawServer.start(() => arrived++);
    await using proxy = await TestProxy.start({ upstream: [upstream.url], fastLane });
    using client = new RawClient(proxy.port);
    client.send(request('POST', CHUNKED).repeat(10));
    await client.wait('a request', () => arrived > 0);
    client.socket.resetAndDestroy();
    await proxy.settled();
    assert.equal(proxy.metric('ambassador_memory_waiting_bytes'), 0);
  });

  test(`${lane}: any token is a method behind other requests, whatever body these have`, async () => {
    for (const first of ['\r\n', CHUNKED, SIZED])
      for (const method of ['LIST', 'BAN', 'PROPX', 'FLUSH', 'x-custom'])
        assert.deepEqual(
          await send(
            request('POST', first) +
              request(method, SIZED) +
              request('GET') +
              request(method) +
              request('LIST', CHUNKED),
            5,
          ),
          ['200 POST', `200 ${method}`, '200 GET', `200 ${method}`, '200 LIST'],
        );
  });

  test(`${lane}: requests behind one whose upgrade is ignored get their responses`, async () => {
    for (const rest of ['\r\n', CHUNKED, SIZED])
      assert.deepEqual(
        await send(
          request('GET', DECLINED + rest) +
            request('PUT', DECLINED + rest) +
            request('LIST', DECLINED + rest) +
            request('GET'),
          4,
        ),
        ['200 GET', '200 PUT', '200 LIST', '200 GET'],
      );
  });

  test(`${lane}: no fault behind a request is taken for a method or ignored`, async () => {
    for (const fault of [
      'G\x01T / HTTP/1.1\r\n\r\n',
      request('GET', 'LIST /b HTTP/1.1\r\nHost: a\r\n\r\n'),
      request('POST', 'Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0 LIST /b HTTP/1.1\r\n\r\n'),
    ])
      for (const rest of ['\r\n', CHUNKED, DECLINED + CHUNKED, DECLINED + SIZED])
        assert.deepEqual(await send(request('GET', rest) + fault, 2), ['200 GET', '400']);
  });

  test(`${lane}: CONNECT behind a large response is answered after all of it`, async () => {
    const body = 'x'.repeat(8 * 1024 * 1024);
    await using upstream = await RawServer.start((socket, text) => {
      if (text.endsWith('\r\n\r\n'))
        socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
    });
    await using proxy = await TestProxy.start({ upstream: [upstream.url], fastLane });
    using client = new RawClient(proxy.port);
    client.socket.pause();
    client.send(request('GET') + request('CONNECT', '\r\n', 'a:1'));
    await eventually(() => proxy.metric('ambassador_memory_waiting_bytes') > 0, {
      what: 'the response waits for the client',
    });
    client.socket.resume();
    await client.wait('the end', () => false);
    assert.ok(client.received.includes(`${body}HTTP/1.1 405 `), client.received.slice(-500));
  });

  test(`${lane}: a refusal or an upgrade never overtakes the response before it`, async () => {
    assert.deepEqual(await send(request('POST', CHUNKED) + request('CONNECT'), 2), [
      '200 POST',
      '405',
    ]);
    const upgrade = request('GET', 'Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
    assert.deepEqual(await send(request('POST', CHUNKED) + upgrade, 2), ['200 POST', '200 GET']);
  });
}
