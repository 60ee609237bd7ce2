import assert from 'node:assert/strict';
import { test } from 'node:test';
import { propertyParameters } from '@sidekit/test-kit';
import fc from 'fast-check';
import { type Fault, faultText } from '../errors.ts';
import { type Address, address, formatAddress, listenOptions, parseAddress } from './address.ts';
import { readValue } from './type.ts';

test('hosts, ports and sockets are read', () => {
  assert.deepEqual(parseAddress(':8080'), { host: undefined, port: 8080 });
  assert.deepEqual(parseAddress('127.0.0.1:0'), { host: '127.0.0.1', port: 0 });
  assert.deepEqual(parseAddress('[::1]:80'), { host: '::1', port: 80 });
  assert.deepEqual(parseAddress('db-0.db.svc:5432'), { host: 'db-0.db.svc', port: 5432 });
  assert.deepEqual(parseAddress('unix:/run/app.sock'), { path: '/run/app.sock' });
});

test('what is no address is refused with examples', () => {
  const long = `unix:/${'x'.repeat(107)}`;
  const bad = ['', '8080', ':65536', ':-1', '::1:80', '[:::]:80', '[1.2.3.4]:80', 'a b:80'];
  for (const text of [...bad, 'unix:relative', 'unix:/a\0b', long, 'http://x:80']) {
    assert.equal(parseAddress(text), undefined, text);
  }
  const faults: Fault[] = [];
  assert.equal(
    readValue(address, 8080, '--listen', (fault) => faults.push(fault)),
    undefined,
  );
  assert.deepEqual(faults.map(faultText), [
    '--listen 8080 must be an address: write :8080, 127.0.0.1:8080, [::1]:8080 or unix:/path',
  ]);
});

test('an address is written as it is read', () => {
  const any: fc.Arbitrary<Address> = fc.oneof(
    fc
      .tuple(
        fc.oneof(fc.constant(undefined), fc.ipV4(), fc.ipV6(), fc.domain()),
        fc.integer({ min: 0, max: 65_535 }),
      )
      .map(([host, port]) => ({ host, port })),
    fc.stringMatching(/^\/[a-z/.]{1,90}$/).map((path) => ({ path })),
  );
  fc.assert(
    fc.property(any, (address) => {
      assert.deepEqual(parseAddress(formatAddress(address)), address);
    }),
    propertyParameters(200),
  );
});

test('an address without a host listens on all interfaces', () => {
  assert.deepEqual(listenOptions({ host: undefined, port: 1 }), { port: 1 });
  assert.deepEqual(listenOptions({ host: '::1', port: 1 }), { port: 1, host: '::1' });
  assert.deepEqual(listenOptions({ path: '/s' }), { path: '/s' });
});
