import assert from 'node:assert/strict';
import { test } from 'node:test';
import { within } from './within.ts';

test('a check that fails is repeated until it holds', async () => {
  const { signal } = new AbortController();
  let checks = 0;
  await within({ signal }, 'three checks', async () => {
    if (++checks < 3) throw new Error('not yet');
    return true;
  });
  assert.equal(checks, 3);
});

test('an interruption ends the wait at once', async () => {
  const interruption = new AbortController();
  const wait = within(interruption, 'what never comes', async () => {
    interruption.abort();
    return false;
  });
  await assert.rejects(wait, /^Error: interrupted$/);
});
