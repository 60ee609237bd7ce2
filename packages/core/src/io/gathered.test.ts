import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Gathered } from './gathered.ts';

test('chunks of any size become one text, in order', () => {
  for (const sizes of [[], [0], [1], [1023, 1, 1], [70_000, 3], [10, 200_000, 10], [1024, 1024]]) {
    const chunks = sizes.map((size, i) => Buffer.alloc(size, `${i}`));
    const gathered = new Gathered();
    for (const chunk of chunks) gathered.add(chunk);
    assert.ok(gathered.bytes().equals(Buffer.concat(chunks)), `${sizes}`);
    assert.equal(gathered.length, Buffer.concat(chunks).length);
  }
});

test('what was received together with a chunk is not kept', () => {
  const gathered = new Gathered();
  const received = Buffer.from('a body');
  gathered.add(received.subarray(2, 3));
  received.fill('x');
  assert.equal(String(gathered.bytes()), 'b');
});
