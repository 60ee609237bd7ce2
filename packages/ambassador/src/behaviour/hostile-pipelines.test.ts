import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import tls from 'node:tls';
import { temporaryDirectory } from '@sidekit/test-kit';
import { TestAuthority } from '../testing/certificates.ts';
import { TestProxy } from '../testing/proxy.ts';
import { RawClient, RawServer, requestsIn } from '../testing/raw.ts';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const WAITING = 'ambassador_memory_waiting_bytes';
const DECLINED = 'Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n';
/** The most that may wait for one client, in bytes: two reads, and a response behind a full buffer. */
const MOST = 256 * 1024;

const request = (line: string, rest = '\r\n') => `${line} HTTP/1.1\r\nHost: a\r\n${rest}`;

/** Answers each complete request. */
function answering(response: string, onRequest: (line: string) => void): Promise<RawServer> {
  const read: number[] = [];
  return RawServer.start((socket, text, index) => {
    let at = read[index] ?? 0;
    for (const { head, body, complete } of requestsIn(text.slice(at))) {
      if (!complete) break;
      at += head.length + body.length;
      onRequest(head.split(' HTTP/')[0]!);
      socket.write(response, 'latin1');
    }
    read[index] = at;
  });
}

for (const fastLane of [true, false]) {
  const lane = fastLane ? 'fast lane' : 'full lane';

  test(`${lane}: a client that pipelines and reads nothing occupies little memory`, async () => {
    const count = 1500;
    const body = 'x'.repeat(15_000);
    let served = 0;
    await using upstream = await answering(
      `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
      () => served++,
    );
    await using proxy = await TestProxy.start({ upstream: [upstream.url], fastLane });
    using client = new RawClient(proxy.port);
    client.socket.pause();
    client.send(request('GET /').repeat(count));
    let [most, before, quiet] = [0, 0, 0];
    // The kernel takes some MB first.
    await client.wait('the proxy pauses', () => {
      most = Math.max(most, proxy.metric(WAITING));
      quiet = served > before || served === 0 ? 0 : quiet + 1;
      before = served;
      return quiet === 100 || served === count;
    });
    assert.ok(most < MOST, `${most} bytes wait`);
    assert.ok(served < count, 'the proxy pauses');
    let received = 0;
    client.socket.removeAllListeners('data');
    client.socket.on('data', (text: string) => (received += text.length));
    client.socket.resume();
    await client.wait('all responses', () => received >= count * body.length && served === count);
    assert.ok(received >= count * body.length);
  });

  test(`${lane}: a method that packets split is never forwarded without its beginning`, async () => {
    for (const pieces of [
      ['LI', 'ST /x HTTP/1.1\r\nHost: a\r\n\r\n'],
      ['GET /x HTTP/1.1\r\nHost: a\r\nX-Fo', 'BAN /y HTTP/1.1\r\nHost: a\r\n\r\n'],
      ['GET /x HTTP/1.1\r\nHost', 'BAN /y HTTP/1.1\r\nHost: a\r\n\r\n'],
    ]) {
      const seen: string[] = [];
      await using upstream = await answering(OK, (line) => seen.push(line));
      await using proxy = await TestProxy.start({ upstream: [upstream.url], fastLane });
      using client = new RawClient(proxy.port);
      client.send(request('GET /', DECLINED));
      await client.wait('a response', () => client.received.endsWith('ok'));
      client.send(pieces[0]!);
      // The proxy has read it once a later connection has had its response.
      for (let i = 0; i < 2; i++) {
        using other = new RawClient(proxy.port);
        other.send(request('GET /other'));
        await other.wait('a response', () => other.received.endsWith('ok'));
      }
      client.send(pieces[1]!);
      await client.wait('another response', () => client.received.split('HTTP/1.1 ').length > 2);
      assert.deepEqual(
        seen.filter((line) => line !== 'GET /other' && line !== 'LIST /x'),
        ['GET /'],
      );
    }
  });

  test(`${lane}: a connection that changes its lane with every request leaves nothing behind`, async () => {
    const warnings: Error[] = [];
    const onWarning = (warning: Error) => warnings.push(warning);
    process.on('warning', onWarning);
    await using upstream = await answering(OK, () => {});
    await using proxy = await TestProxy.start({ upstream: [upstream.url], fastLane });
    using client = new RawClient(proxy.port);
    const chunked = 'Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n';
    client.send(request('LIST /', chunked).repeat(30));
    await client.wait('the responses', () => client.received.split('ok').length === 31);
    process.off('warning', onWarning);
    assert.deepEqual(warnings, []);
  });
}

test('a packet between two lanes never overtakes the one before it', async () => {
  const seen: string[] = [];
  await using upstream = await answering(OK, (line) => seen.push(line));
  await using proxy = await TestProxy.start({ upstream: [upstream.url] });
  using client = new RawClient(proxy.port);
  const expected: string[] = [];
  const chunked = 'Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n';
  for (let i = 0; i < 200; i++) {
    const line = `${i % 3 === 0 ? 'GET' : 'LIST'} /${i}`;
    expected.push(line);
    const text = request(line, i % 2 === 0 ? chunked : '\r\n');
    for (let at = 0; at < text.length; at += 13) {
      client.send(text.slice(at, at + 13));
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
  await client.wait('the responses', () => client.received.split('ok').length > expected.length);
  assert.deepEqual(seen, expected);
});

test('bytes behind a response that fills a read never reach the next request', async () => {
  const size = 64 * 1024;
  const head = (length: number) => `HTTP/1.1 200 OK\r\nContent-Length: ${length}\r\n\r\n`;
  const length = size - head(size).length;
  const extra = `${head(6)}POISON`;
  await using upstream = await RawServer.start((socket, text) => {
    if (text.startsWith('GET /first') && requestsIn(text).length === 1)
      socket.write(head(length) + 'x'.repeat(length) + extra, 'latin1');
    else socket.write(OK);
  });
  for (const maxUpstreamConnections of [1, 10]) {
    await using proxy = await TestProxy.start({ upstream: [upstream.url], maxUpstreamConnections });
    using client = new RawClient(proxy.port);
    client.send(request('GET /first') + request('GET /second'));
    await client.wait('two responses', () => /(?:POISON|ok)$/.test(client.received));
    assert.ok(client.received.endsWith('ok'), client.received.slice(-100));
  }
});

test('a record of TLS behind a response never reaches the next request', async () => {
  using directory = temporaryDirectory('records');
  const authority = new TestAuthority(directory.path);
  const { cert, key } = authority.issue('localhost');
  const upstream = tls.createServer(
    { cert: readFileSync(cert), key: readFileSync(key) },
    (socket) => {
      socket.on('error', () => {});
      let first = true;
      socket.on('data', (text) => {
        // Two records in one packet.
        socket.cork();
        socket.write(OK);
        if (first && text.includes('/first'))
          socket.write('HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nPOISON');
        first = false;
        socket.uncork();
      });
    },
  );
  upstream.listen(0, '127.0.0.1');
  await once(upstream, 'listening');
  const { port } = upstream.address() as AddressInfo;
  await using proxy = await TestProxy.start({
    upstream: [`https://localhost:${port}`],
    upstreamCa: authority.ca,
  });
  using client = new RawClient(proxy.port);
  for (let i = 0; i < 20; i++) client.send(request('GET /first') + request('GET /second'));
  await client.wait('all responses', () => client.received.split('HTTP/1.1 ').length > 40);
  upstream.close();
  assert.doesNotMatch(client.received, /POISON/);
});
