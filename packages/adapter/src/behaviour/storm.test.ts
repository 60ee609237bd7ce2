import assert from 'node:assert/strict';
import { test } from 'node:test';
import { temporaryDirectory } from '@sidekit/test-kit';
import { storm } from '../testing/storm.ts';

const usual = { rate: 20_000, seconds: 4 * Number(process.env.SIDEKIT_RUNS ?? 1) };

test('no line is lost to a rename every 50 ms and a SIGKILL every 1.5 s, with only the live name given', async () => {
  using directory = temporaryDirectory('storm');
  const result = await storm({
    ...usual,
    directory: directory.path,
    rotateEvery: 50,
    manner: 'rename',
    killEvery: 1500,
  });
  assert.equal(result.lost, 0, JSON.stringify(result));
  assert.equal(result.unrecognised, 0, JSON.stringify(result));
  assert.ok(result.kills > 0);
});

test('no line is lost to a copytruncate every 500 ms and a SIGKILL every 1.5 s', async () => {
  using directory = temporaryDirectory('storm');
  const result = await storm({
    ...usual,
    directory: directory.path,
    rotateEvery: 500,
    manner: 'copytruncate',
    killEvery: 1500,
  });
  assert.equal(result.lost, 0, JSON.stringify(result));
  assert.ok(result.kills > 0);
});
