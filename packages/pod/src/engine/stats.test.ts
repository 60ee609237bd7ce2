import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readStats } from './stats.ts';

const cpu_stats = { cpu_usage: { total_usage: 1_500_000_000 } };

test('CPU and memory of a container are read from either engine, without the droppable cache', () => {
  const read = (memory_stats: object) => readStats({ cpu_stats, memory_stats });
  assert.deepEqual(read({ usage: 100 }), { cpuSeconds: 1.5, memoryBytes: 100 });
  assert.equal(read({ usage: 100, stats: { total_inactive_file: 30 } })?.memoryBytes, 70);
  assert.equal(read({ usage: 100, stats: { inactive_file: 40 } })?.memoryBytes, 60);
  assert.equal(read({ usage: 100, stats: { inactive_file: 400 } })?.memoryBytes, 0);
});

test('a container that does not run has no usage', () => {
  assert.equal(readStats({ cpu_stats: { cpu_usage: {} }, memory_stats: {} }), undefined);
  assert.equal(readStats(undefined), undefined);
});
