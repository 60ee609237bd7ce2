import assert from 'node:assert/strict';
import { test } from 'node:test';
import { propertyParameters } from '@sidekit/test-kit';
import fc from 'fast-check';
import { find, parsePath } from './path.ts';

const found = (document: unknown, path: string) =>
  [...find(document, parsePath(path)!)].map(({ value, key }) =>
    key === '' ? value : [key, value],
  );

test('paths lead to members, elements and all of them', () => {
  const document = { a: { b: [10, 20], 'odd.name"': 1 }, pools: { x: { n: 1 }, y: { n: 2 } } };
  assert.deepEqual(found(document, '.'), [document]);
  assert.deepEqual(found(document, '.a.b[1]'), [20]);
  assert.deepEqual(found(document, '.a.b.1'), [20]);
  assert.deepEqual(found(document, '.a["odd.name\\""]'), [1]);
  assert.deepEqual(found(document, '.a.b[*]'), [
    ['0', 10],
    ['1', 20],
  ]);
  assert.deepEqual(found(document, '.pools.*.n'), [
    ['x', 1],
    ['y', 2],
  ]);
  assert.deepEqual(found([[1], [2]], '[*][0]'), [
    ['0', 1],
    ['1', 2],
  ]);
  assert.deepEqual(found([5], '.[0]'), [5]);
});

test('nothing that is not a property of the document itself is found', () => {
  const document = JSON.parse('{"a":[1],"s":"text","__proto__":{"x":1}}');
  for (const path of ['.constructor', '.a.length', '.s.length', '.s[0]', '.toString', '.a[7]']) {
    assert.deepEqual(found(document, path), [], path);
  }
  assert.deepEqual(found(document, '.__proto__.x'), [1]);
});

test('text that is no path is refused', () => {
  for (const text of [
    '',
    'a',
    '..a',
    '.a.',
    '.a[',
    '.a[b]',
    '.a["b]',
    '.a b',
    `.${'a.'.repeat(40)}a`,
  ]) {
    assert.equal(parsePath(text), undefined, text);
  }
});

test('every value of any document is found by its own path', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (document) => {
      const walk = (value: unknown, path: string, depth: number): void => {
        assert.deepEqual([...find(document, parsePath(path)!)][0]?.value, value);
        if (typeof value !== 'object' || value === null || depth > 20) return;
        for (const [name, inner] of Object.entries(value)) {
          walk(inner, `${path === '.' ? '' : path}[${JSON.stringify(name)}]`, depth + 1);
        }
      };
      walk(document, '.', 0);
    }),
    propertyParameters(100),
  );
});
