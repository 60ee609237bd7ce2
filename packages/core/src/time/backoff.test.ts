import assert from 'node:assert/strict';
import { test } from 'node:test';
import { propertyParameters } from '@sidekit/test-kit';
import fc from 'fast-check';
import { fullJitter, pause, retryAfter } from './backoff.ts';

test('a pause lies between 0 and the doubling bound, never above the cap', () => {
  const chance = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 10_000 }),
      fc.integer({ min: 1, max: 60_000 }),
      fc.integer({ min: 1, max: 3_600_000 }),
      chance,
      (attempt, base, cap, value) => {
        const pause = fullJitter(attempt, { base, cap, random: () => value });
        assert.ok(pause >= 0 && pause <= cap);
        assert.ok(pause <= base * 2 ** attempt);
      },
    ),
    propertyParameters(500),
  );
});

test('the bound doubles with each try until the cap', () => {
  const bound = (attempt: number) =>
    Math.round(fullJitter(attempt, { base: 100, cap: 1000, random: () => 1 - 1e-9 }));
  assert.deepEqual([0, 1, 2, 3, 4, 5000].map(bound), [100, 200, 400, 800, 1000, 1000]);
});

test('Retry-After is read as seconds or as a date in any of its forms', () => {
  const now = Date.UTC(1994, 10, 6, 8, 49, 30);
  assert.equal(retryAfter('120', now), 120_000);
  assert.equal(retryAfter(' 0 ', now), 0);
  for (const date of [
    'Sun, 06 Nov 1994 08:49:37 GMT',
    'Sunday, 06-Nov-94 08:49:37 GMT',
    'Sun Nov  6 08:49:37 1994',
  ]) {
    assert.equal(retryAfter(date, now), 7000, date);
  }
  assert.equal(retryAfter('Sun, 06 Nov 1994 08:49:00 GMT', now), 0, 'in the past');
  for (const none of [undefined, '', 'soon', '-5', '1.5', 'foo 1', '99999999999']) {
    assert.equal(retryAfter(none, now), undefined, String(none));
  }
});

test('a pause ends with its time, or at once when it is aborted', async () => {
  assert.equal(await pause(1), true);
  const controller = new AbortController();
  const long = pause(3_600_000, controller.signal);
  controller.abort();
  assert.equal(await long, false);
  assert.equal(await pause(3_600_000, controller.signal), false);
});
