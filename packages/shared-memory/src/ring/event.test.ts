import assert from 'node:assert/strict';
import { test } from 'node:test';
import { arm, signal } from './event.ts';
import { MappedWords, type Words } from './words.ts';

function words(before: { exchange?: () => void } = {}) {
  const memory = new Int32Array(1);
  let wakes = 0;
  const mapped = new MappedWords(memory, () => wakes++);
  const hooked: Words = {
    load: (index) => mapped.load(index),
    store: (index, value) => mapped.store(index, value),
    wake: (index) => mapped.wake(index),
    compareExchange(index, expected, value) {
      before.exchange?.();
      return mapped.compareExchange(index, expected, value);
    },
  };
  return { memory, mapped, hooked, wakes: () => wakes };
}

test('a signal wakes once, and only if somebody waits', () => {
  const { memory, mapped, wakes } = words();
  signal(mapped, 0);
  assert.deepEqual([memory[0], wakes()], [0, 0]);
  assert.equal(arm(mapped, 0), 1);
  assert.equal(arm(mapped, 0), 1);
  signal(mapped, 0);
  signal(mapped, 0);
  assert.deepEqual([memory[0], wakes()], [2, 1]);
  memory[0] = -1;
  signal(mapped, 0);
  assert.equal(memory[0], 0);
});

test('who is overtaken by another waiter and its signal does not wait for a word without the bit', () => {
  const other: { exchange?: () => void } = {};
  const { memory, mapped, hooked } = words(other);
  other.exchange = () => {
    arm(mapped, 0);
    signal(mapped, 0);
  };
  const expected = arm(hooked, 0);
  assert.ok(expected & 1);
  assert.notEqual(memory[0], expected);
});
