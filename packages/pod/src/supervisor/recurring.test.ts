import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Recurring } from './recurring.ts';

test('a probe that fails for days leaves 25 events, and then one every 5 minutes', () => {
  const recurring = new Recurring();
  const day = 24 * 60 * 60;
  let kept = 0;
  for (let second = 0; second < day; second++) {
    if (recurring.keeps('Unhealthy a', second * 1000)) kept++;
    if (second === 24) assert.equal(kept, 25);
  }
  assert.equal(kept, 25 + day / 300 - 1);
  assert.ok(recurring.keeps('Unhealthy b', day * 1000), 'another container has its own');
});

test('after a quiet time events are kept again, as many as at first', () => {
  const recurring = new Recurring();
  const burst = (at: number) =>
    Array.from({ length: 100 }, () => recurring.keeps('x', at)).filter(Boolean).length;
  assert.equal(burst(0), 25);
  assert.equal(burst(10 * 24 * 60 * 60_000), 25);
});
