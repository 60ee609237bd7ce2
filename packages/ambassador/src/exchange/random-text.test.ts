import assert from 'node:assert/strict';
import { test } from 'node:test';
import { randomText } from './random-text.ts';

test('a template is filled with random digits, and its other characters stay', () => {
  const uuid = randomText('xxxxxxxx-xxxx-4xxx-yxxx-xxxxxxxxxxxx');
  const made = Array.from({ length: 10_000 }, () => uuid());
  for (const one of made)
    assert.match(one, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  assert.equal(new Set(made).size, made.length);
  // Every place takes every digit: none is missing, none reuses another's bytes.
  for (const [place, letter] of [...'xxxxxxxx-xxxx-4xxx-yxxx-xxxxxxxxxxxx'].entries()) {
    const found = new Set(made.map((one) => one[place]));
    assert.equal(found.size, letter === 'x' ? 16 : letter === 'y' ? 4 : 1, `place ${place}`);
  }
  for (let place = 1; place < 8; place++)
    assert.ok(made.some((one) => one[place] !== one[place - 1]));
});
