import assert from 'node:assert/strict';
import { test } from 'node:test';
import { textFaults } from './words.ts';

test('a refused word is reported with its line and a replacement', () => {
  assert.deepEqual(textFaults('one\nmade anew\n'), [
    "2: 'anew': write again, or a verb with re-: recreated",
  ]);
});

test('a phrase is found across two lines of a comment', () => {
  for (const text of ['is\ntold', ' * it is\n * told so', '// it is\n// told so'])
    assert.equal(textFaults(text).length, 1, text);
});

test('names in code are words too, and parts of other words are not', () => {
  assert.equal(textFaults('const octets = 1;').length, 1);
  assert.deepEqual(textFaults('application/octet-stream, amendment, looksLike, ethereal'), []);
});

test('a doc comment may not begin with What, Where or Of', () => {
  assert.equal(textFaults('/** What it does. */').length, 1);
  assert.equal(textFaults('/**\n * Where it is.\n */').length, 1);
  assert.deepEqual(textFaults('/** Names what it does. Where it is. */'), []);
});

test('the refused headings are refused, and the recommended ones are not', () => {
  assert.equal(textFaults('## When not\n\n## Often said\n').length, 2);
  assert.deepEqual(textFaults('## When not to use it\n\n## Common misconceptions\n'), []);
});
