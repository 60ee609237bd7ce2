import assert from 'node:assert/strict';
import { test } from 'node:test';
import { propertyParameters } from '@sidekit/test-kit';
import fc from 'fast-check';
import { type Fault, faultText } from '../errors.ts';
import { readValue, type Type } from './type.ts';
import { duration, formatDuration, formatSize, size } from './units.ts';

function read<T>(type: Type<T>, input: unknown): T | string {
  const faults: Fault[] = [];
  const value = readValue(type, input, '--x', (fault) => faults.push(fault));
  assert.equal(value === undefined, faults.length > 0);
  return value ?? faults.map(faultText).join();
}

test('durations are read with their units', () => {
  const cases: Record<string, number> = {
    '250ms': 250,
    '1.5s': 1500,
    '1m30s': 90_000,
    '2h': 7_200_000,
    '1d': 86_400_000,
    '2.3s': 2300,
    '0': 0,
    '0s': 0,
  };
  for (const [text, ms] of Object.entries(cases)) assert.equal(read(duration(), text), ms, text);
  assert.equal(read(duration(), 0), 0);
});

test('what is no duration is refused with the remedy', () => {
  for (const bad of ['', '5', '1.s', 's', '-1s', '1 s', '1S', '1w', 5, true, null, '1e3s']) {
    assert.match(String(read(duration(), bad)), /^--x .*must be a duration: write a number with/);
  }
  assert.equal(read(duration(1000), '1ms'), '--x "1ms" must be at least 1s');
  assert.equal(read(duration(0, 60_000), '61s'), '--x "61s" must be at most 1m');
  assert.equal(read(duration(), '25d'), '--x "25d" must be at most 24d');
  assert.match(String(read(duration(), `${'9'.repeat(400)}s`)), /must be at most 24d$/);
});

test('sizes are read with their units, in any case of letters', () => {
  const cases: Record<string, number> = {
    '512': 512,
    '8KiB': 8192,
    '8kib': 8192,
    '1Mi': 1_048_576,
    '10MB': 10_000_000,
    '2.3M': 2_300_000,
    '1.5Ki': 1536,
    '1 GiB': 1_073_741_824,
    '7B': 7,
  };
  for (const [text, bytes] of Object.entries(cases)) assert.equal(read(size(), text), bytes, text);
  assert.equal(read(size(), 10), 10);
});

test('what is no size is refused with the remedy', () => {
  for (const bad of ['', '-1', '1.5', '5T', '1iB', 'KiB', 1.5, -1, true, {}]) {
    assert.match(String(read(size(), bad)), /must be a size in bytes: write a number with/);
  }
  assert.equal(read(size(1), '0'), '--x "0" must be at least 1B');
  assert.equal(read(size(0, 1024), '2KiB'), '--x "2KiB" must be at most 1KiB');
});

test('what is written is read back as the same amount', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2_000_000_000 }), (amount) => {
      assert.equal(read(duration(), formatDuration(amount)), amount);
      assert.equal(read(size(), formatSize(amount)), amount);
    }),
    propertyParameters(500),
  );
});

test('amounts are written in their largest whole unit', () => {
  assert.deepEqual([0, 5, 1500, 90_000, 120_000, 86_400_000].map(formatDuration), [
    '0',
    '5ms',
    '1.5s',
    '90s',
    '2m',
    '1d',
  ]);
  assert.deepEqual([0, 1000, 8192, 3_145_728].map(formatSize), ['0B', '1000B', '8KiB', '3MiB']);
});
