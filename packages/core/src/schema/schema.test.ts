import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  checked,
  choice,
  defaulted,
  integer,
  list,
  map,
  object,
  optional,
  pathText,
  type Reader,
  required,
  text,
} from './index.ts';

function read<T>(reader: Reader<T>, value: unknown): T | string[] {
  const faults: string[] = [];
  const result = reader(value, ['spec'], (path, { rule }) =>
    faults.push(`${pathText(path)} ${rule}`),
  );
  assert.equal(result === undefined, faults.length > 0);
  return result ?? faults;
}

const port = object({
  port: required(integer(1, 65_535)),
  name: optional(text()),
  protocol: defaulted(choice('TCP', 'UDP'), 'TCP'),
});

test('every fault is reported with its path, and none when there is a value', () => {
  assert.deepEqual(read(port, { port: 80, name: null }), {
    port: 80,
    name: undefined,
    protocol: 'TCP',
  });
  assert.deepEqual(read(port, { prot: 80, protocol: 'tcp' }), [
    'spec.prot is not a known key',
    'spec.port is missing',
    'spec.protocol must be one of TCP, UDP',
  ]);
  assert.deepEqual(read(list(port, { unique: 'name' }), [{ port: 1, name: 'a' }, 5]), [
    'spec[1] must be an object',
  ]);
});

test('a duplicate names the first item, also if one of them is faulty', () => {
  const items = [{ port: 0, name: 'a' }, { port: 1 }, { port: 2, name: 'a' }];
  assert.deepEqual(read(list(port, { unique: 'name' }), items), [
    'spec[0].port must be 1–65535',
    'spec[2].name is a duplicate: it is also the name of spec[0]',
  ]);
  assert.deepEqual(read(list(port, { min: 1 }), []), ['spec must have at least 1 item']);
});

test('keys of the prototype are data like others', () => {
  const value = JSON.parse('{"__proto__": "x", "constructor": "y"}');
  const labels = read(map(text()), value);
  assert.deepEqual(Object.keys(labels), ['__proto__', 'constructor']);
  assert.equal(JSON.stringify(labels), JSON.stringify(value));
  assert.deepEqual(read(port, JSON.parse('{"port": 1, "__proto__": {"name": "x"}}')), [
    'spec.__proto__ is not a known key',
  ]);
});

test('a rule over several fields runs on good values only', () => {
  const even = checked(port, ({ port }, report) => {
    if (port % 2) report(['port'], { rule: 'must be even' });
  });
  assert.deepEqual(read(even, { port: 3 }), ['spec.port must be even']);
  assert.deepEqual(read(even, { port: 'x' }), ['spec.port must be a whole number']);
});

test('a path is written as in the documentation of Kubernetes, odd keys in brackets', () => {
  assert.equal(pathText(['spec', 'containers', 0, 'name']), 'spec.containers[0].name');
  assert.equal(pathText(['metadata', 'labels', 'a/b']), 'metadata.labels["a/b"]');
  assert.equal(pathText(['--listen']), '--listen');
});
