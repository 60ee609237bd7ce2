import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '@sidekit/test-kit';
import { TestProxy } from '../testing/proxy.ts';
import { RawClient, RawServer, requestsIn } from '../testing/raw.ts';

const CHUNKED = 'Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n';
const SIZED = 'Content-Length: 7\r\n\r\na\r\n\r\nBA';
const DECLINED = 'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAA\r\n';

/** Responds to each complete request with its method; to `/held` only once `/release` arrived. */
async function methods(): Promise<RawServer> {
  const answered: number[] = [];
  const held: (() => void)[] = [];
  return RawServer.start((socket, text, index) => {
    const complete = requestsIn(text).filter((one) => one.complete);
    for (const { head } of complete.slice(answered[index] ?? 0)) {
      const [method = '', target] = head.split(' ');
      const respond = () =>
        socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${method.length + 2}\r\n\r\n<${method}>`);
      if (target === '/held') held.push(respond);
      else respond();
      if (target === '/release') for (const one of held.splice(0)) one();
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
    const upgrade = request('GET', 'Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n', '/release');
    assert.deepEqual(await send(request('POST', CHUNKED, '/held') + upgrade, 2), [
      '200 POST',
      '200 GET',
    ]);
  });
}
