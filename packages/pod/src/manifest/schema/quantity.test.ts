import assert from 'node:assert/strict';
import { test } from 'node:test';
import { divided, parseQuantity } from './quantity.ts';

test('quantities are read in every notation of Kubernetes', () => {
  const cases: readonly (readonly [string | number, number])[] = [
    ['500m', 0.5],
    ['2', 2],
    [1, 1],
    ['64Mi', 64 * 2 ** 20],
    ['1G', 1e9],
    ['1e3', 1000],
    ['.5', 0.5],
    ['100u', 0.0001],
  ];
  for (const [given, expected] of cases)
    assert.equal(parseQuantity(given), expected, String(given));
});

test('what is no quantity is refused', () => {
  for (const given of ['', 'x', '1mb', '1 Gi', '1KiB', '--1', '1.2.3']) {
    assert.throws(() => parseQuantity(given), /not a quantity/, given);
  }
});

test('a divisor rounds up and knows no binary fractions', () => {
  assert.equal(divided(0.1, 0.001), '100');
  assert.equal(divided(0.25, 1), '1');
  assert.equal(divided(64 * 2 ** 20, 2 ** 20), '64');
});
