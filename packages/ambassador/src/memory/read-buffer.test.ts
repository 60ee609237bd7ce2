import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '@sidekit/test-kit';
import { MemoryBudget } from './memory-budget.ts';
import { READ_SIZE, type ReadBuffer, ReadBufferPool } from './read-buffer.ts';

const MiB = 1024 * 1024;

test('when load ends, the memory of buffers is freed without the garbage collector', async () => {
  const budget = new MemoryBudget(1000 * READ_SIZE);
  const pool = new ReadBufferPool(budget);
  const before = process.memoryUsage().arrayBuffers;
  const all: ReadBuffer[] = Array.from({ length: 400 }, () => pool.take());
  assert.equal(budget.used, 400 * READ_SIZE);
  assert.ok(process.memoryUsage().arrayBuffers - before > 20 * MiB);
  // In another order than they were taken.
  const [odd, even] = [all.filter((_, i) => i % 2 === 1), all.filter((_, i) => i % 2 === 0)];
  for (const buffer of [...odd, ...even]) buffer.release();
  assert.equal(budget.used, 0);
  assert.ok(pool.allocated <= 2 * MiB, `${pool.allocated}`);
  await eventually(() => process.memoryUsage().arrayBuffers - before < 4 * MiB, {
    what: 'the memory is given back',
  });
});

test('a buffer that was abandoned is never handed out again', () => {
  const pool = new ReadBufferPool(new MemoryBudget(1000 * READ_SIZE));
  const first = pool.take();
  first.abandon();
  for (let i = 0; i < 100; i++) assert.notEqual(pool.take(), first);
});
