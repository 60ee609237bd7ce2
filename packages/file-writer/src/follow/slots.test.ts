import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Slots } from './slots.ts';

test('at most so many run at once, in the order of their calls, failures included', async () => {
  const slots = new Slots(2);
  let running = 0;
  let most = 0;
  const order: number[] = [];
  const results = await Promise.allSettled(
    Array.from({ length: 10 }, (_, i) =>
      slots.run(async () => {
        order.push(i);
        most = Math.max(most, ++running);
        await new Promise(setImmediate);
        running--;
        if (i % 3 === 0) throw new Error('no');
      }),
    ),
  );
  assert.equal(most, 2);
  assert.deepEqual(order, [...order.keys()]);
  assert.equal(results.filter(({ status }) => status === 'rejected').length, 4);
});
