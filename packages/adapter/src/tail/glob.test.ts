import assert from 'node:assert/strict';
import { matchesGlob } from 'node:path';
import { test } from 'node:test';
import { propertyParameters } from '@sidekit/test-kit';
import fc from 'fast-check';
import { named } from './glob.ts';

const text = (alphabet: string) => fc.string({ unit: fc.constantFrom(...alphabet), maxLength: 8 });

test('a segment of a glob means the same names as to Node', () => {
  fc.assert(
    fc.property(text('ab.-*?*?'), text('ab.-'), (segment, name) => {
      fc.pre(name !== '' && name !== '.' && name !== '..' && segment !== '');
      assert.equal(named(name, segment), matchesGlob(name, segment));
    }),
    propertyParameters(5000),
  );
});

test('a star crosses whatever a name may hold, a line feed too', () => {
  assert.ok(named('a\nb.log', '*.log'));
  assert.ok(!named('a.log\n', '*.log'));
});

test('a question mark is one character, of any length in UTF-16', () => {
  assert.ok(named('\u{1f600}.log', '?.log'));
  assert.ok(!named('\u{1f600}.log', '??.log'));
});

test('a hidden name is meant only where the dot is written out', () => {
  assert.ok(!named('.a.log', '*.log'));
  assert.ok(named('.a.log', '.*.log'));
});

test('sets and choices are matched too', () => {
  assert.ok(named('a1.log', '{a,b}[0-9].log'));
  assert.ok(!named('c1.log', '{a,b}[0-9].log'));
});
