import assert from 'node:assert/strict';
import { once } from 'node:events';
import { copyFileSync, readFileSync } from 'node:fs';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, test } from 'node:test';
import tls from 'node:tls';
import { temporaryDirectory } from '@sidekit/test-kit';
import { TestAuthority } from '../testing/certificates.ts';
import { TestProxy } from '../testing/proxy.ts';
import { type Got, request, TestUpstream } from '../testing/upstream.ts';

const directory = temporaryDirectory('tls');
after(() => directory.remove());
const authority = new TestAuthority(directory.path);
const stranger = temporaryDirectory('stranger');
after(() => stranger.remove());
const other = new TestAuthority(stranger.path);
const server = authority.issue('localhost');
const client = authority.issue('client');

async function secureUpstream(options: tls.TlsOptions = {}) {
  const upstream = https.createServer(
    { cert: readFileSync(server.cert), key: readFileSync(server.key), ...options },
    (incoming, response) => {
      const peer = (incoming.socket as tls.TLSSocket).getPeerCertificate().subject?.CN;
      response.end(
        `sni ${(incoming.socket as unknown as { servername: string }).servername} client ${peer}`,
      );
    },
  );
  upstream.on('tlsClientError', () => {});
  upstream.listen(0, '127.0.0.1');
  await once(upstream, 'listening');
  return {
    port: (upstream.address() as AddressInfo).port,
    [Symbol.asyncDispose]: async () => {
      upstream.closeAllConnections();
      upstream.close();
    },
  };
}

test('upstream name and authority are verified, and the upstream gets a client certificate', async () => {
  await using upstream = await secureUpstream({
    requestCert: true,
    ca: readFileSync(authority.ca),
    rejectUnauthorized: true,
  });
  const base = {
    upstream: [`https://localhost:${upstream.port}`],
    upstreamCa: authority.ca,
    upstreamCert: client.cert,
    upstreamKey: client.key,
    retryConnectFor: '0',
  };
  await using good = await TestProxy.start(base);
  assert.equal((await request(good.url)).body, 'sni localhost client client');
  assert.equal((await request(good.url)).body, 'sni localhost client client');
  await using misnamed = await TestProxy.start({ ...base, upstreamServerName: 'example.com' });
  assert.equal((await request(misnamed.url)).status, 502);
  await using distrusted = await TestProxy.start({ ...base, upstreamCa: other.ca });
  assert.equal((await request(distrusted.url)).status, 502);
  await using system = await TestProxy.start({ upstream: base.upstream, retryConnectFor: '0' });
  assert.equal((await request(system.url)).status, 502, "the system's authorities don't know it");
});

test('clients may use TLS in both lanes, and new ones get a renewed certificate', async () => {
  await using upstream = await TestUpstream.start((incoming, response) => {
    response.end(`${incoming.headers['x-forwarded-proto']}`);
  });
  const cert = join(directory.path, 'current.pem');
  const key = join(directory.path, 'current.key');
  copyFileSync(server.cert, cert);
  copyFileSync(server.key, key);
  const options = { upstream: [upstream.url], tlsCert: cert, tlsKey: key };
  await using proxy = await TestProxy.start({ ...options, listen: '127.0.0.1:0' });
  const ask = (method: string) => secure(proxy.port, { ca: readFileSync(authority.ca), method });
  assert.equal((await ask('GET')).body, 'https');
  assert.equal((await ask('PROPFIND')).body, 'https', 'handed to the full lane');
  const before = await serial(proxy.port);
  const renewed = authority.issue('localhost');
  copyFileSync(renewed.cert, cert);
  copyFileSync(renewed.key, key);
  await proxy.reload(options);
  assert.notEqual(await serial(proxy.port), before);
  assert.equal((await ask('GET')).body, 'https');
});

test('client certificates are required if an authority is given', async () => {
  await using upstream = await TestUpstream.start((_incoming, response) => response.end('in'));
  await using proxy = await TestProxy.start({
    upstream: [upstream.url],
    tlsCert: server.cert,
    tlsKey: server.key,
    tlsClientCa: authority.ca,
  });
  const ca = readFileSync(authority.ca);
  await assert.rejects(secure(proxy.port, { ca }));
  const own = { cert: readFileSync(client.cert), key: readFileSync(client.key) };
  assert.equal((await secure(proxy.port, { ca, ...own })).body, 'in');
});

test('certificates that do not belong together are refused by name', async () => {
  await assert.rejects(
    TestProxy.start({ upstream: ['http://127.0.0.1:1'], tlsCert: server.cert, tlsKey: client.key }),
    /main: tlsCert .* is not valid for TLS .*: give PEM files of one certificate and its key/,
  );
  await assert.rejects(
    TestProxy.start({ upstream: ['https://127.0.0.1:1'], upstreamCa: '/nowhere/ca.pem' }),
    /main: upstreamCa "\/nowhere\/ca\.pem" cannot be read/,
  );
});

test('plain text at a TLS port closes only that connection', async () => {
  await using upstream = await TestUpstream.start((_incoming, response) => response.end('in'));
  await using proxy = await TestProxy.start({
    upstream: [upstream.url],
    tlsCert: server.cert,
    tlsKey: server.key,
  });
  await assert.rejects(request(proxy.url));
  assert.equal((await secure(proxy.port, { ca: readFileSync(authority.ca) })).body, 'in');
});

function secure(port: number, options: https.RequestOptions): Promise<Got> {
  return new Promise((resolve, reject) => {
    const outgoing = https.request({
      host: '127.0.0.1',
      port,
      servername: 'localhost',
      agent: false,
      headers: { host: 'localhost' },
      ...options,
    });
    outgoing.on('error', reject);
    outgoing.on('response', (response) => {
      let body = '';
      response.on('data', (chunk) => (body += chunk));
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          trailers: {},
          body,
        }),
      );
    });
    outgoing.end();
  });
}

async function serial(port: number): Promise<string> {
  const socket = tls.connect({
    port,
    host: '127.0.0.1',
    servername: 'localhost',
    ca: readFileSync(authority.ca),
  });
  await once(socket, 'secureConnect');
  const { serialNumber } = socket.getPeerCertificate();
  socket.destroy();
  return serialNumber;
}
