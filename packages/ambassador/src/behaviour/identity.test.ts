import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import https from 'node:https';
import { after, before, test } from 'node:test';
import { temporaryDirectory } from '@sidekit/test-kit';
import { namesOf } from '../exchange/forwarding.ts';
import {
  FORWARDED,
  FORWARDED_PREFIXES,
  IDENTITY,
  IDENTITY_PREFIXES,
} from '../http/forwarded-fields.ts';
import { type Certificate, TestAuthority } from '../testing/certificates.ts';
import { TestProxy } from '../testing/proxy.ts';
import { request, TestUpstream } from '../testing/upstream.ts';

const directory = temporaryDirectory('identity');
let authority: TestAuthority;
before(() => {
  authority = new TestAuthority(directory.path);
});
after(() => directory.remove());

/** Responds with the fields of the request. */
const mirror = () =>
  TestUpstream.start((incoming, response) => response.end(JSON.stringify(incoming.rawHeaders)));

/** The values of a field in a mirrored request. */
function values(body: string, name: string): string[] {
  const raw: string[] = JSON.parse(body);
  return raw.filter((_, i) => i % 2 === 1 && raw[i - 1]!.toLowerCase() === name);
}

/** Sends a request with a client certificate. */
function getAs(
  client: Certificate,
  port: number,
  headers: Record<string, string> = {},
): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const outgoing = https.get(
      {
        host: '127.0.0.1',
        port,
        servername: 'localhost',
        ca: readFileSync(authority.ca),
        cert: readFileSync(client.cert),
        key: readFileSync(client.key),
        agent: false,
        headers,
      },
      (response) => {
        let body = '';
        response.setEncoding('utf8').on('data', (piece) => (body += piece));
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
      },
    );
    outgoing.on('error', reject);
  });
}

for (const fastLane of [true, false]) {
  const lane = fastLane ? 'fast lane' : 'full lane';

  test(`${lane}: fields that say who the client is do not pass from strangers, in any spelling`, async () => {
    await using upstream = await mirror();
    await using proxy = await TestProxy.start({ upstream: [upstream.url], fastLane });
    const prefixes = [...FORWARDED_PREFIXES, ...IDENTITY_PREFIXES];
    const names = [
      ...[...FORWARDED, ...IDENTITY, 'x-forwarded-for', 'x-request-id', 'traceparent'],
      ...prefixes.map((prefix) => `${prefix}anything`),
    ];
    for (const name of names) {
      const spellings = [
        name,
        name.toUpperCase(),
        name.replaceAll('-', '_'),
        name.replace('-', '_'),
        name.replaceAll('-', '.'),
      ];
      for (const spelling of spellings) {
        const { body } = await request(proxy.url, { headers: { [spelling]: 'evil value' } });
        assert.doesNotMatch(body, /evil/, spelling);
      }
    }
  });

  test(`${lane}: a trusted proxy may say who the client is, in the real spelling`, async () => {
    await using upstream = await mirror();
    await using proxy = await TestProxy.start({
      upstream: [upstream.url],
      trustedProxies: ['127.0.0.0/8'],
      fastLane,
    });
    const headers = { 'client-cert': ':YQ==:', 'x-forwarded-prefix': '/p', client_cert: 'evil' };
    const { body } = await request(proxy.url, { headers });
    assert.deepEqual(values(body, 'client-cert'), [':YQ==:']);
    assert.deepEqual(values(body, 'x-forwarded-prefix'), ['/p']);
    assert.doesNotMatch(body, /evil/);
  });

  test(`${lane}: the app gets the verified certificate of the client, and no other`, async () => {
    const [server, client] = [authority.issue('localhost'), authority.issue('alice')];
    await using upstream = await mirror();
    await using proxy = await TestProxy.start({
      upstream: [upstream.url],
      trustedProxies: ['127.0.0.0/8'],
      tlsCert: server.cert,
      tlsKey: server.key,
      tlsClientCa: authority.ca,
      fastLane,
    });
    const { body } = await getAs(client, proxy.port, {
      'client-cert': ':ZXZpbA==:',
      'x-forwarded-client-cert': 'Subject="CN=admin"',
    });
    const pem = readFileSync(client.cert, 'utf8');
    const der = pem.replace(/-----[^-]+-----|\s/g, '');
    assert.deepEqual(values(body, 'client-cert'), [`:${der}:`]);
    assert.doesNotMatch(body, /admin|ZXZpbA/);
  });

  test(`${lane}: only allowed names of client certificates are served`, async () => {
    const server = authority.issue('localhost');
    const spiffe = authority.issue('web', 'URI:spiffe://example.org/ns/shop/sa/web');
    const other = authority.issue('other', 'URI:spiffe://example.org/ns/shop/sa/other');
    await using upstream = await mirror();
    await using proxy = await TestProxy.start({
      upstream: [upstream.url],
      tlsCert: server.cert,
      tlsKey: server.key,
      tlsClientCa: authority.ca,
      clientNames: ['URI:spiffe://example.org/ns/shop/sa/web'],
      fastLane,
    });
    assert.equal((await getAs(spiffe, proxy.port)).status, 200);
    assert.equal((await getAs(other, proxy.port)).status, 403);
  });
}

test('a name with a comma is one name', () => {
  const text = 'DNS:a.example, DNS:"x, URI:spiffe://b", URI:spiffe://c/d';
  assert.deepEqual(namesOf({ subjectaltname: text }), [
    'DNS:a.example',
    'DNS:x, URI:spiffe://b',
    'URI:spiffe://c/d',
  ]);
});
