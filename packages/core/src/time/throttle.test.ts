import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '@sidekit/test-kit';
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

test('a wall clock that is set back silences nothing', async (context) => {
  context.mock.timers.enable({ apis: ['Date'], now: 3_600_000 });
  let said = 0;
  const say = throttle(1, () => said++);
  say();
  context.mock.timers.setTime(0);
  await eventually(
    () => {
      say();
      return said > 1;
    },
    { what: 'a second message' },
  );
});
