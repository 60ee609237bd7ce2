import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { byNumber } from './by-number.ts';

test('numbers in names are compared by their value, however long they are', () => {
  const names = [
    'a.10',
    'a.9',
    'a.1.log',
    'a',
    'a.010',
    'a.90071992547409930',
    'a.9007199254740993',
  ];
  assert.deepEqual(names.toSorted(byNumber), [
    ...['a', 'a.1.log', 'a.9', 'a.010', 'a.10', 'a.9007199254740993', 'a.90071992547409930'],
  ]);
});

test('any two names have one order, and any three a consistent one', () => {
  const name = fc.string({ unit: fc.constantFrom('0', '1', '9', 'a', '.', '-'), maxLength: 6 });
  fc.assert(
    fc.property(name, name, name, (a, b, c) => {
      assert.equal(Math.sign(byNumber(a, b)) + Math.sign(byNumber(b, a)), 0);
      assert.equal(byNumber(a, b) === 0, a === b);
      if (byNumber(a, b) <= 0 && byNumber(b, c) <= 0) assert.ok(byNumber(a, c) <= 0);
    }),
    { seed: 13, numRuns: 2000 },
  );
});
