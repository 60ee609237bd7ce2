import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TestProxy } from '../testing/proxy.ts';
import { RawClient, RawServer, requestsIn } from '../testing/raw.ts';

/** Responds to each complete request with its request line. */
function echo(): Promise<RawServer> {
  const answered: number[] = [];
  return RawServer.start((socket, text, index) => {
    const complete = requestsIn(text).filter((one) => one.complete);
    for (const { head } of complete.slice(answered[index] ?? 0)) {
      const line = head.split('\r')[0]!;
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${line.length}\r\n\r\n${line}`);
    }
    answered[index] = complete.length;
  });
}

for (const fastLane of [true, false]) {
  const lane = fastLane ? 'fast lane' : 'full lane';

  async function send(text: string, until: (received: string) => boolean): Promise<string> {
    await using upstream = await echo();
    await using proxy = await TestProxy.start({ upstream: [upstream.url], fastLane });
    using client = new RawClient(proxy.port);
    client.send(text);
    await client.wait('a response', () => until(client.received));
    return client.received + upstream.received.join('');
  }
  const two = (text: string) => text.split('HTTP/1.1 200').length === 3;
  const one = (text: string) => /\r\n\r\n[\s\S]*HTTP\/1\.1$/.test(text);

  test(`${lane}: any token is a method, with and without a body`, async () => {
    for (const method of ['LIST', 'BAN', 'x-custom', 'M-SEARCH', 'PROPFIND'])
      assert.match(
        await send(
          `${method} /a HTTP/1.1\r\nHost: a\r\n\r\nGET /b HTTP/1.1\r\nHost: a\r\n\r\n`,
          two,
        ),
        new RegExp(`${method} /a HTTP/1.1[\\s\\S]*GET /b HTTP/1.1`),
      );
    const chunked = 'Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n';
    assert.match(await send(`LIST /a HTTP/1.1\r\nHost: a\r\n${chunked}`, one), /LIST \/a HTTP/);
  });

  test(`${lane}: any token is a method on a connection of node:http too, one after another`, async () => {
    await using upstream = await echo();
    await using proxy = await TestProxy.start({ upstream: [upstream.url], fastLane });
    using client = new RawClient(proxy.port);
    const chunked = 'Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n';
    const ends: string[] = [];
    for (const [method, rest] of [
      ['POST', chunked],
      ['LIST', '\r\n'],
      ['GET', '\r\n'],
      ['BAN', 'Content-Length: 3\r\n\r\nabc'],
      ['x-custom', chunked],
      ['LIST', '\r\n'],
    ]) {
      client.send(`${method} /a HTTP/1.1\r\nHost: a\r\n${rest}`);
      ends.push(`${method} /a HTTP/1.1`);
      await client.wait(method!, () => client.received.split(' /a HTTP/1.1').length > ends.length);
    }
    assert.deepEqual(client.received.match(/\S+ \/a HTTP\/1\.1/g), ends);
    assert.equal(client.ended, false);
  });

  test(`${lane}: an upgrade to HTTP/2 or TLS is ignored, with and without a body`, async () => {
    for (const protocol of ['h2c', 'HTTP/2.0', 'TLS/1.2'])
      for (const [method, body] of [
        ['GET', '\r\n'],
        ['POST', 'Content-Length: 3\r\n\r\nabc'],
        ['PUT', 'Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n'],
      ]) {
        const text = await send(
          `${method} / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: ${protocol}\r\nHTTP2-Settings: AAA\r\n${body}`,
          one,
        );
        assert.match(text, /^HTTP\/1\.1 200/);
        assert.doesNotMatch(text, /Upgrade|HTTP2-Settings/i);
      }
  });

  test(`${lane}: an upgrade in HTTP/1.0 is ignored`, async () => {
    const text = await send(
      'GET / HTTP/1.0\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
      one,
    );
    assert.match(text, /^HTTP\/1\.1 200/);
    assert.doesNotMatch(text, /Upgrade/);
  });

  test(`${lane}: an absolute target is forwarded with its host, whatever the default port`, async () => {
    for (const [target, version, host] of [
      ['http://a.example/x', '1.0', ''],
      ['http://a.example:80/x', '1.1', 'Host: a.example\r\n'],
      ['http://a.example/x', '1.1', 'Host: a.example:80\r\n'],
      ['https://a.example:443/x', '1.1', 'Host: a.example\r\n'],
    ]) {
      const text = await send(`GET ${target} HTTP/${version}\r\n${host}\r\n`, (received) =>
        /GET \/x HTTP/.test(received),
      );
      assert.match(text, /^HTTP\/1\.1 200/);
      assert.match(text, /Host: a\.example/);
    }
    assert.match(
      await send('OPTIONS http://a.example HTTP/1.1\r\nHost: a.example\r\n\r\n', one),
      /OPTIONS \* HTTP/,
    );
    for (const host of ['b.example', 'a.example:81'])
      assert.match(
        await send(`GET http://a.example/ HTTP/1.1\r\nHost: ${host}\r\n\r\n`, () => false),
        /^HTTP\/1\.1 400/,
      );
  });

  test(`${lane}: keep-alive of HTTP/1.0 is honored`, async () => {
    const request = 'GET / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n';
    const text = await send(request + request, two);
    assert.match(text, /Connection: keep-alive/i);
  });
}
