import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually, staysTrueFor } from './eventually.ts';

test('eventually returns the first truthy value, and takes an error for "not yet"', async () => {
  let calls = 0;
  const value = await eventually(
    () => {
      if (++calls === 1) throw new Error('too early');
      return calls > 2 ? `call ${calls}` : '';
    },
    { what: 'a third call', interval: 1 },
  );
  assert.equal(value, 'call 3');
});

test('eventually names what did not happen, with the last error', async () => {
  const failing = () => Promise.reject(new Error('refused'));
  await assert.rejects(eventually(failing, { what: 'a connection', timeout: 5 }), {
    message: 'not within 5 ms: a connection',
    cause: new Error('refused'),
  });
});

test('eventually pauses for as long as a check takes', async () => {
  const ends: number[] = [];
  const gaps: number[] = [];
  const slow = () => {
    const began = performance.now();
    if (ends.length > 0) gaps.push(began - ends.at(-1)!);
    while (performance.now() - began < 20);
    ends.push(performance.now());
    return ends.length > 3;
  };
  await eventually(slow, { what: 'the fourth check', interval: 1 });
  // A timer may end a millisecond early.
  assert.ok(
    gaps.every((gap) => gap >= 19),
    `${gaps}`,
  );
});

test('staysTrueFor ends as soon as the condition is false', async () => {
  let calls = 0;
  await staysTrueFor(() => ++calls, 5, { what: 'the count', interval: 1 });
  assert.ok(calls >= 2);
  await assert.rejects(
    staysTrueFor(() => calls++ < 4 || false, 3_600_000, { what: 'a count below 4', interval: 1 }),
    /a count below 4/,
  );
});
