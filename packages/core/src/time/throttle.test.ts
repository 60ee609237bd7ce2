import assert from 'node:assert/strict';
import { test } from 'node:test';
import { throttle } from './throttle.ts';

test('one message passes an interval; the next says how many were left out', () => {
  let now = 0;
  const said: number[] = [];
  const say = throttle(
    100,
    (suppressed) => said.push(suppressed),
    () => now,
  );
  for (now = 0; now < 250; now += 10) say();
  assert.deepEqual(said, [0, 9, 9]);
});
