import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseDocument } from 'yaml';
import { kubectlYaml } from './kubectl-yaml.ts';

function read(text: string): unknown {
  const document = parseDocument(text, kubectlYaml);
  assert.deepEqual([...document.errors, ...document.warnings], [], text);
  return document.toJS();
}

test('scalars are those of YAML 1.1, as kubectl reads it', () => {
  for (const [text, value] of [
    ['0400', 256],
    ['0o755', 493],
    ['0644', 420],
    ['-010', -8],
    ['08', 8],
    ['0x1F', 31],
    ['0b101', 5],
    ['1_000', 1000],
    ['1e3', 1000],
    ['.5', 0.5],
    ['5.', 5],
    ['yes', true],
    ['on', true],
    ['Y', true],
    ['off', false],
    ['n', false],
    ['~', null],
    ['', null],
    ['1:20', '1:20'],
    ['2026-11-26', '2026-11-26'],
    ['yEs', 'yEs'],
    ['"yes"', 'yes'],
    ["'0400'", '0400'],
    ['!!str 0400', '0400'],
    ['1.2.3', '1.2.3'],
    ['0xZZ', '0xZZ'],
    ['nginx:1', 'nginx:1'],
  ] as const) {
    assert.deepEqual(read(`a: ${text}`), { a: value }, text);
  }
});

test('merge keys are merged, and what is written itself goes first', () => {
  const text = 'base: &b {x: 1, k: 2}\nmore: {<<: *b, k: 3}\nlist: {<<: [*b, {z: 4}]}\n';
  assert.deepEqual(read(text), {
    base: { x: 1, k: 2 },
    more: { x: 1, k: 3 },
    list: { x: 1, k: 2, z: 4 },
  });
});

test('keys become text, and those of the prototype are keys like others', () => {
  assert.deepEqual(read('{1: a, on: b}'), { 1: 'a', true: 'b' });
  const value = read('{__proto__: {a: 1}, constructor: c, toString: t}') as object;
  assert.deepEqual(Object.keys(value), ['__proto__', 'constructor', 'toString']);
  assert.equal(Object.getPrototypeOf(value), Object.prototype);
});

test('KYAML is read: braces, quoted strings, trailing commas, comments', () => {
  const text = '---\n{\n  # A comment.\n  kind: "Pod",\n  list: [\n    "a",\n    8080,\n  ],\n}\n';
  assert.deepEqual(read(text), { kind: 'Pod', list: ['a', 8080] });
});

test('infinity and not-a-number are refused, as JSON has neither, and quoted they are text', () => {
  for (const text of ['.inf', '-.Inf', '+.INF', '.nan', '.NaN']) {
    assert.throws(() => read(`a: ${text}`), /is no number that JSON has/, text);
    assert.deepEqual(read(`a: '${text}'`), { a: text });
  }
  assert.deepEqual(read('a: .infinite'), { a: '.infinite' });
});
