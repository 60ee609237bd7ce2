import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseAddress } from '@sidekit/core';
import { checkAddresses } from './addresses.ts';
import type { UpstreamOption } from './upstream.ts';

function faults(pairs: readonly (readonly [listen: string, upstream: string])[], exposed?: number) {
  const found: string[] = [];
  const listeners = pairs.map(([listen, upstream]) => ({
    listen: parseAddress(listen),
    upstream: [{ scheme: 'http', secure: false, ...parseAddress(upstream) } as UpstreamOption],
  }));
  const admin = parseAddress(':9901')!;
  checkAddresses({ listeners, prefix: (i) => `${i}.`, admin, exposed }, ({ name, rule }) =>
    found.push(`${name} ${rule}`),
  );
  return found;
}

test('an upstream that is its own listener is refused, however it is written', () => {
  for (const [listen, upstream] of [
    [':8080', '127.0.0.1:8080'],
    ['0.0.0.0:8080', 'localhost:8080'],
    ['127.0.0.1:8080', 'localhost:8080'],
    ['[::]:8080', '[::1]:8080'],
    ['unix:/run/a', 'unix:/run/a'],
  ] as const) {
    assert.match(faults([[listen, upstream]])[0] ?? '', /0\.upstream .*own listener/, listen);
  }
});

test('the same port of another host or another port of this one is a good upstream', () => {
  for (const [listen, upstream] of [
    [':8080', 'db:8080'],
    [':8080', '127.0.0.1:8081'],
    ['127.0.0.1:8080', '127.0.0.2:8080'],
    ['unix:/run/a', 'unix:/run/b'],
  ] as const) {
    assert.deepEqual(faults([[listen, upstream]]), [], listen);
  }
});

test('two listeners of one address, and a listener on the admin port, are refused', () => {
  const twice = faults([
    [':8080', 'a:1'],
    ['127.0.0.1:8080', 'a:1'],
  ]);
  assert.match(twice[0] ?? '', /1\.listen is taken by another listener/);
  assert.match(faults([['127.0.0.1:9901', 'a:1']])[0] ?? '', /is taken by the admin port/);
});

test('an exposed port needs a listener', () => {
  assert.deepEqual(faults([[':8081', 'a:1']], 8081), []);
  assert.match(faults([[':8081', 'a:1']], 8080)[0] ?? '', /would bypass the ambassador/);
});
