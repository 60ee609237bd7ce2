import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Growth } from './growth.ts';

/** Whether a file that grew in these steps ends with a block. */
function endsWithBlock(...steps: number[]): boolean {
  const growth = new Growth();
  for (const bytes of steps) growth.add(bytes);
  return growth.endsWithBlock;
}

test('the blocks of stdio, Go, Java, C++, Python and Rust are not taken for lines', () => {
  for (const bytes of [4096, 3 * 4096, 8192, 8191, 2 * 8191, 8137, 2 * 8192 - 55, 131_072 - 100]) {
    assert.equal(endsWithBlock(bytes), true, String(bytes));
  }
  for (const bytes of [0, 80, 512, 4000, 4095, 4097, 8193, 7680, 12_287]) {
    assert.equal(endsWithBlock(bytes), false, String(bytes));
  }
});

test('one growth in 16 looks like a block by chance', () => {
  let count = 0;
  for (let bytes = 8192; bytes < 2 * 8192; bytes++) if (endsWithBlock(bytes)) count++;
  assert.equal(Math.round(8192 / count), 16);
});

test('a growth that looks like a block is none where the file grew by lines', () => {
  const lines = [120, 340, 95, 4410, 210, 88, 1300];
  assert.equal(endsWithBlock(...lines, 4096), false);
  assert.equal(endsWithBlock(...lines, 4096, 4096), true, 'two out of nine are blocks');
});

test('a writer that buffers and flushes now and then is one that buffers', () => {
  const steps = [90, 90, 4096, 4096, 700, 4096, 120, 8192];
  assert.equal(endsWithBlock(...steps), true);
});

test('a writer that has long written lines can begin to buffer, and the other way round', () => {
  const lines = Array.from({ length: 500 }, () => 100);
  const blocks = Array.from({ length: 500 }, () => 4096);
  assert.equal(endsWithBlock(...lines, ...blocks.slice(0, 20)), true);
  assert.equal(endsWithBlock(...blocks, ...lines, 4096), false);
});
