import assert from 'node:assert/strict';
import { test } from 'node:test';
import { propertyParameters } from '@sidekit/test-kit';
import fc from 'fast-check';
import { ClientRateLimit, clientKey } from './client-rate-limit.ts';

test('each client has its own burst and rate', () => {
  const limit = new ClientRateLimit(10, 2);
  assert.deepEqual([limit.take('a', 0), limit.take('a', 0), limit.take('a', 0)], [0, 0, 100]);
  assert.equal(limit.take('b', 0), 0);
  assert.equal(limit.take('a', 100), 0);
});

test('no client exceeds its burst and rate, however many others fill the table', () => {
  const step = fc.record({ client: fc.integer({ min: 0, max: 20 }), pause: fc.nat(300) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const limit = new ClientRateLimit(10, 3, 4);
      const granted = new Map<number, number[]>();
      let now = 0;
      for (const { client, pause } of steps) {
        now += pause;
        if (limit.take(String(client), now) > 0) continue;
        const times = granted.get(client) ?? [];
        granted.set(client, [...times, now]);
      }
      for (const times of granted.values())
        times.forEach((from, i) => {
          times.slice(i).forEach((to, n) => {
            // One bucket of its own and, at most once, the shared one before it.
            assert.ok(n + 1 <= 2 * 3 + ((to - from) / 1000) * 20 + 1e-6);
          });
        });
    }),
    propertyParameters(200),
  );
});

test('a client keeps its empty bucket while thousands of others come', () => {
  const limit = new ClientRateLimit(1, 1, 100);
  assert.equal(limit.take('victim', 0), 0);
  for (let i = 0; i < 5000; i++) limit.take(`other ${i}`, 1);
  assert.ok(limit.take('victim', 2) > 0);
});

test('an IPv6 client is its network of 64 bits', () => {
  assert.equal(clientKey('2001:db8::1'), clientKey('2001:db8:0:0:ffff::2'));
  assert.notEqual(clientKey('2001:db8::1'), clientKey('2001:db8:0:1::1'));
  assert.equal(clientKey('10.0.0.1'), '10.0.0.1');
});

test('a client is the same in every spelling of its address', () => {
  for (const [key, ...spellings] of [
    ['10.0.0.1', '10.0.0.1:4711', '::ffff:10.0.0.1', '::FFFF:a00:1', '[::ffff:10.0.0.1]:4711'],
    ['2001:db8:0:0', '2001:db8::1', '2001:DB8:0::2', '2001:0db8::3', '[2001:db8::4]:80'],
    ['fe80:0:0:0', 'fe80::1', 'fe80::2%eth0', '[fe80::3%eth0]'],
    ['0:0:0:0', '::1', '::'],
  ])
    for (const spelling of spellings) assert.equal(clientKey(spelling), key, spelling);
  assert.notEqual(clientKey('::ffff:10.0.0.1'), clientKey('::ffff:10.0.0.2'));
  for (const other of ['unix:', 'user-1', 'a:b', '[x]:1', '']) clientKey(other);
});
