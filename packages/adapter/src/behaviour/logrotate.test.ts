import assert from 'node:assert/strict';
import { test } from 'node:test';
import { temporaryDirectory } from '@sidekit/test-kit';
import { faultOf, hasLogrotate, rotate, rotationCases } from '../testing/logrotate.ts';

const long = process.env.SIDEKIT_LONG === '1';
/** The short form takes every 97th of them: a stride that shares no factor with the options. */
const cases = rotationCases().filter((_, i) => long || i % 97 === 0);

test(`${cases.length} combinations of logrotate's options lose and double nothing`, {
  skip: hasLogrotate() && process.getuid?.() === 0 ? false : 'needs logrotate and root',
}, async () => {
  const faults: string[] = [];
  for (let i = 0; i < cases.length; i += 60) {
    using part = temporaryDirectory(`logrotate-${i}`);
    const { adapter } = await rotate(cases.slice(i, i + 60), part.path);
    faults.push(...adapter.map(faultOf).filter((fault) => fault !== undefined));
  }
  assert.deepEqual(faults, []);
});
