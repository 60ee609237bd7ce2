import assert from 'node:assert/strict';
import { test } from 'node:test';
import { valuesOf } from '@sidekit/core/testing';
import { table } from './table.ts';

const HTTP = ['http://127.0.0.1:5000'];
const rule = { set: 'X-A', value: 'a' };

/** Configurations with a fault each. */
const FAULTS: readonly Record<string, unknown>[] = [
  { upstream: ['tcp://a:1'] },
  { upstream: HTTP, protocol: 'tcp' },
  { upstream: HTTP, healthGrpcService: '' },
  { upstream: HTTP, grpcWebOrigins: ['https://a.example'] },
  { upstream: HTTP, listen: 'unix:/run/a.sock', proxyProtocol: ['::1'] },
  { upstream: HTTP, clientNames: ['DNS:a'] },
  { upstream: HTTP, tlsClientCa: '/ca.pem' },
  { upstream: HTTP, healthPath: 'healthz' },
  { upstream: HTTP, tracesEndpoint: 'http://user@collector/v1/traces' },
  { upstream: HTTP, requestHeaders: [{ ...rule, remove: 'X-B' }] },
  { upstream: HTTP, requestHeaders: [{ set: 'Content-Length', value: '1' }] },
  { upstream: HTTP, requestHeaders: [{ set: 'X-A' }] },
  { upstream: HTTP, requestHeaders: [{ remove: 'X-A', value: 'a' }] },
  { upstream: HTTP, requestHeaders: [{ set: 'X-A', value: 'a\nb' }] },
  { upstream: HTTP, requestHeaders: [{ set: 'X-A', env: 'a-b' }] },
  { upstream: HTTP, requestHeaders: [{ ...rule, prefix: '\n' }] },
  { upstream: HTTP, routes: [{ prefix: 'api', upstream: HTTP }] },
  { upstream: HTTP, routes: [{ host: '*', upstream: HTTP }] },
  { upstream: HTTP, routes: [{ upstream: ['tcp://a:1'] }] },
  { upstream: HTTP, routes: [{ upstream: HTTP, healthGrpcService: '' }] },
  { upstream: HTTP, routes: [{ upstream: HTTP }, { upstream: HTTP }] },
];

test('each fault of a configuration has a remedy', () => {
  for (const data of FAULTS)
    assert.throws(
      () => valuesOf(table, { listen: '127.0.0.1:8080', ...data }),
      ({ faults }: { faults: readonly { rule: string; remedy?: string }[] }) =>
        faults.length > 0 && faults.every(({ remedy }) => remedy !== undefined),
      JSON.stringify(data),
    );
});
