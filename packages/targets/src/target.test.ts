import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Fault, faultText } from '@sidekit/core';
import { parseTarget } from './target.ts';

function read(text: string) {
  const faults: Fault[] = [];
  const target = parseTarget(text, (fault) => void faults.push(fault));
  return { target, faults: faults.map(faultText) };
}

test('every scheme of the contract is read', () => {
  assert.deepEqual(read('mq:/q').target, { kind: 'mq', text: 'mq:/q', queue: '/q' });
  assert.deepEqual(read('tcp:db:5432').target, {
    kind: 'tcp',
    text: 'tcp:db:5432',
    host: 'db',
    port: 5432,
  });
  assert.deepEqual(read('tcp:[::1]:80').target, {
    kind: 'tcp',
    text: 'tcp:[::1]:80',
    host: '::1',
    port: 80,
  });
  assert.deepEqual(read('http://api:80/ready').target, {
    kind: 'http',
    text: 'http://api:80/ready',
    url: 'http://api:80/ready',
  });
  assert.deepEqual(read('file:/shared/ok').target, {
    kind: 'file',
    text: 'file:/shared/ok',
    path: '/shared/ok',
  });
  assert.deepEqual(read('file:///shared/ok').target, {
    kind: 'file',
    text: 'file:///shared/ok',
    path: '/shared/ok',
  });
  assert.deepEqual(read('dns:db').target, { kind: 'dns', text: 'dns:db', host: 'db' });
  assert.deepEqual(read('unix:/run/s').target, {
    kind: 'unix',
    text: 'unix:/run/s',
    path: '/run/s',
  });
});

test('a target that cannot be meant is refused with what to write', () => {
  for (const [text, sentence] of [
    ['mq:q', 'TARGET "mq:q" must start with a slash: write /q'],
    ['tcp:db', 'TARGET "tcp:db" must have a host and a port: write tcp:host:port'],
    ['tcp::80', 'TARGET "tcp::80" must have a host and a port: write tcp:host:port'],
    ['tcp:db:0', 'TARGET "tcp:db:0" must have a host and a port: write tcp:host:port'],
    ['tcp:db:65536', 'TARGET "tcp:db:65536" must have a host and a port: write tcp:host:port'],
    ['http:db', 'TARGET "http:db" must be a URL: write http://host:port/path'],
    ['file:/a\0b', 'TARGET "file:/a\\u0000b" must not contain NUL: leave it out'],
    [
      `unix:/${'s'.repeat(107)}`,
      `TARGET "unix:/${'s'.repeat(107)}" must have a path of at most 107 bytes: choose a shorter one`,
    ],
    ['shm:x', 'TARGET "shm:x" must start with a slash: write /x'],
    [
      'sem:x',
      'TARGET "sem:x" must have a key: write sem:0x5eed, sem:24301 or sem:/path:1 as for ftok(3)',
    ],
    ['file:here', 'TARGET "file:here" must have an absolute path: write file:/path'],
    ['dns:', 'TARGET "dns:" must be a host name: write dns:name'],
    ['tpc:db:1', 'TARGET "tpc:db:1" has no known scheme: did you mean tcp:?'],
  ] as const) {
    const { target, faults } = read(text);
    assert.equal(target, undefined, text);
    assert.deepEqual(faults, [sentence]);
  }
});
