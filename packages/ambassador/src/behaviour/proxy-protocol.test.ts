import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type http from 'node:http';
import net from 'node:net';
import { after, test } from 'node:test';
import tls from 'node:tls';
import { createLog } from '@sidekit/core';
import { eventually, temporaryDirectory } from '@sidekit/test-kit';
import { TestAuthority } from '../testing/certificates.ts';
import { TestProxy } from '../testing/proxy.ts';
import { RawClient, RawServer } from '../testing/raw.ts';
import { TestUpstream } from '../testing/upstream.ts';

const directory = temporaryDirectory('proxy-protocol');
after(() => directory.remove());

const V1 = 'PROXY TCP4 192.0.2.7 10.0.0.1 56324 443\r\n';
const V2 =
  '\r\n\r\n\0\r\nQUIT\n\x21\x11\x00\x0f\xc0\x00\x02\x07\x0a\x00\x00\x01\x00\x50\x01\xbb\x04\x00\x00';
const LOCAL = '\r\n\r\n\0\r\nQUIT\n\x20\x00\x00\x00';
const GET = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';
const REFUSED = 'ambassador_proxy_protocol_refused_total{listener="main",cause=';

/** Responds with the forwarding fields of the request. */
const forwarded: http.RequestListener = ({ headers }, response) =>
  response.end(`for=${headers['x-forwarded-for']};`);

/** Sends bytes in pieces of `size` and returns what the other side sends. */
async function exchange(port: number, bytes: string, size = bytes.length): Promise<string> {
  using client = new RawClient(port);
  for (let at = 0; at < bytes.length; at += size) client.send(bytes.slice(at, at + size));
  await client.wait('the end', () => false);
  return client.received;
}

test('the address of the client comes from the head, in every version, lane and cut', async () => {
  await using upstream = await TestUpstream.start(forwarded);
  for (const fastLane of [true, false]) {
    await using proxy = await TestProxy.start({
      upstream: [upstream.url],
      proxyProtocol: ['127.0.0.0/8'],
      fastLane,
    });
    for (const size of [1, 7, 1000]) {
      for (const head of [V1, V2])
        assert.match(await exchange(proxy.port, head + GET, size), /for=192\.0\.2\.7;/);
      for (const head of [LOCAL, 'PROXY UNKNOWN\r\n'])
        assert.match(await exchange(proxy.port, head + GET, size), /for=127\.0\.0\.1;/);
    }
    assert.equal(proxy.metric(REFUSED), 0);
  }
});

test('the head precedes TLS, and trusted proxies are those of the head', async () => {
  const authority = new TestAuthority(directory.path);
  const { cert, key } = authority.issue('localhost');
  await using upstream = await TestUpstream.start(forwarded);
  await using proxy = await TestProxy.start({
    upstream: [upstream.url],
    proxyProtocol: ['127.0.0.1'],
    trustedProxies: ['192.0.2.0/24'],
    tlsCert: cert,
    tlsKey: key,
  });
  for (const [head, shown] of [
    [V2, 'for=1.2.3.4, 192.0.2.7;'],
    [V1.replace('192.0.2.7', '198.51.100.1'), 'for=198.51.100.1;'],
  ] as const) {
    const socket = net.connect(proxy.port, '127.0.0.1');
    socket.write(head, 'latin1');
    const secure = tls.connect({ socket, servername: 'localhost', ca: readFileSync(authority.ca) });
    await once(secure, 'secureConnect');
    let received = '';
    secure.on('data', (chunk) => (received += chunk));
    secure.write(GET.replace('\r\n\r\n', '\r\nX-Forwarded-For: 1.2.3.4\r\n\r\n'));
    await once(secure, 'end');
    assert.ok(received.includes(shown), received);
    secure.destroy();
  }
});

test('a tcp listener removes the head', async () => {
  await using upstream = await RawServer.start((socket, text) => {
    if (text.endsWith('!')) socket.end(text);
  });
  await using proxy = await TestProxy.start({
    protocol: 'tcp',
    upstream: [upstream.url.replace('http', 'tcp')],
    proxyProtocol: ['127.0.0.1'],
  });
  for (const head of [V1, V2]) assert.equal(await exchange(proxy.port, `${head}hello!`), 'hello!');
});

test('a connection without a valid head, or from elsewhere, is closed without a reply', async () => {
  const events: { event: string; reason: string }[] = [];
  const log = createLog({ name: 'test', write: (line: string) => events.push(JSON.parse(line)) });
  await using upstream = await TestUpstream.start(forwarded);
  const options = { upstream: [upstream.url], proxyProtocol: ['127.0.0.1'] };
  await using proxy = await TestProxy.start(options, log);
  for (const bytes of [GET, `PROXY TCP4 a b 1 2\r\n${GET}`, `${V2.replace('\x21', '\x31')}${GET}`])
    assert.equal(await exchange(proxy.port, bytes), '');
  assert.equal(proxy.metric(`${REFUSED}"head"`), 3);
  assert.ok(events.some(({ event }) => event === 'proxy_protocol_refused'));
  await proxy.reload({ ...options, proxyProtocol: ['192.0.2.0/24'] });
  assert.equal(await exchange(proxy.port, V1 + GET), '');
  assert.equal(proxy.metric(`${REFUSED}"peer"`), 1);
  assert.equal(upstream.requests, 0);
  // Without the option it is refused as what it is: no HTTP.
  await proxy.reload({ upstream: [upstream.url] });
  assert.match(await exchange(proxy.port, V1 + GET), /^HTTP\/1\.1 400 /);
  assert.match(await exchange(proxy.port, GET), /for=127\.0\.0\.1;/);
});

test('a head that does not arrive is given 5 seconds', async () => {
  await using upstream = await TestUpstream.start(forwarded);
  await using proxy = await TestProxy.start({
    upstream: [upstream.url],
    proxyProtocol: ['127.0.0.1'],
  });
  const began = performance.now();
  assert.equal(await exchange(proxy.port, 'PROXY TCP4 '), '');
  const took = performance.now() - began;
  assert.ok(took >= 4900, `${took} ms`);
  assert.equal(proxy.metric(`${REFUSED}"timeout"`), 1);
  await eventually(() => proxy.metric('http_server_active_requests') === 0, { what: 'the end' });
});
