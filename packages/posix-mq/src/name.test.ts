import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkQueueName } from './name.ts';

test('good names have one slash, at their start', () => {
  for (const name of ['/q', '/sidekit.ack', '/ä', `/${'x'.repeat(255)}`]) {
    assert.equal(checkQueueName(name), undefined, name);
  }
});

test('bad names are refused with the rule and what to write instead', () => {
  assert.deepEqual(checkQueueName('nope'), {
    rule: 'must start with a slash',
    remedy: 'write /nope',
  });
  assert.match(checkQueueName('/a/b')?.remedy ?? '', /write \/a-b$/);
  for (const name of [
    '',
    '/',
    '/.',
    '/..',
    '/a\0b',
    `/${'x'.repeat(256)}`,
    `/${'ä'.repeat(128)}`,
  ]) {
    assert.ok(checkQueueName(name), name);
  }
});
