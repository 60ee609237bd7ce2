import assert from 'node:assert/strict';
import { test } from 'node:test';
import { propertyParameters } from '@sidekit/test-kit';
import fc from 'fast-check';
import { editDistance, nearest } from './nearest.ts';

test('a typing error finds its word', () => {
  const known = ['--queue', '--timeout', '--log-level', '--any'];
  for (const [typed, meant] of [
    ['--quue', '--queue'],
    ['--timeuot', '--timeout'],
    ['--loglevel', '--log-level'],
    ['--TIMEOUT', '--timeout'],
    ['--ani', '--any'],
  ] as const) {
    assert.equal(nearest(typed, known), `did you mean ${meant}?`);
  }
});

test('a word that is no typing error names the known ones where they are few', () => {
  assert.equal(nearest('elephant', ['a', 'b']), 'known are a, b');
  assert.equal(nearest('elephant', 'abcdefghi'.split('')), undefined);
  assert.equal(nearest('x', ['y']), 'known are y');
  assert.equal(nearest('x', []), undefined);
});

/** The same distance by its recursive definition. */
function defined(a: string, b: string): number {
  if (!a || !b) return a.length + b.length;
  const rest = [a.slice(0, -1), b.slice(0, -1)] as const;
  const choices = [
    defined(rest[0], b) + 1,
    defined(a, rest[1]) + 1,
    defined(...rest) + (a.at(-1) === b.at(-1) ? 0 : 1),
  ];
  if (a.length > 1 && b.length > 1 && a.at(-1) === b.at(-2) && a.at(-2) === b.at(-1)) {
    choices.push(defined(a.slice(0, -2), b.slice(0, -2)) + 1);
  }
  return Math.min(...choices);
}

test('the distance is that of its definition, up to the limit', () => {
  const word = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 6 });
  fc.assert(
    fc.property(word, word, fc.integer({ min: 1, max: 8 }), (a, b, limit) => {
      assert.equal(editDistance(a, b, limit), Math.min(limit, defined(a, b)));
    }),
    propertyParameters(300),
  );
});
