import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ExpectedError } from '@sidekit/core';
import { type Check, parseTarget, type Target } from '@sidekit/targets';
import type { Options } from './options.ts';
import { waitFor } from './wait.ts';

const options = {
  timeout: 0,
  interval: 1,
  tryTimeout: 1000,
  any: false,
  not: false,
  once: false,
  status: [],
} as unknown as Options;
const targets = ['dns:a', 'dns:b'].map((text) => parseTarget(text, () => {}) as Target);
const never = new AbortController().signal;

/** A check by the number of tries after which each target is there. */
function thereAfter(tries: Record<string, number>): Check {
  const done = new Map<string, number>();
  return async ({ text }) => {
    const count = (done.get(text) ?? 0) + 1;
    done.set(text, count);
    return count > (tries[text] ?? 0) ? undefined : `try ${count}`;
  };
}

test('all targets must be there, and one that was there once counts', async () => {
  const said: string[] = [];
  const check = thereAfter({ 'dns:a': 0, 'dns:b': 3 });
  const { succeeded, missing } = await waitFor(targets, options, check, never, (line) =>
    said.push(line),
  );
  assert.ok(succeeded);
  assert.deepEqual(missing, []);
  assert.match(said[0] ?? '', /^dns:a: there after/);
  assert.deepEqual(
    said.slice(1, 4),
    [1, 2, 3].map((n) => `waiting for dns:b: try ${n}`),
  );
});

test('with any, one is enough', async () => {
  const check = thereAfter({ 'dns:a': Number.POSITIVE_INFINITY, 'dns:b': 1 });
  const { succeeded } = await waitFor(targets, { ...options, any: true }, check, never, () => {});
  assert.ok(succeeded);
});

test('with not, a target that is there delays the end until it goes', async () => {
  let there = 3;
  const check: Check = async () => (there-- > 0 ? undefined : 'refused');
  const said: string[] = [];
  const outcome = await waitFor(
    targets.slice(0, 1),
    { ...options, not: true },
    check,
    never,
    (line) => said.push(line),
  );
  assert.ok(outcome.succeeded);
  assert.equal(said[0], 'waiting for dns:a to go: still there');
});

test('with not, a try that did not finish does not count as gone', async () => {
  const hang: Check = () => new Promise(() => {});
  const patient = { ...options, not: true, once: true, tryTimeout: 20 };
  const { succeeded, missing } = await waitFor(targets, patient, hang, never, () => {});
  assert.equal(succeeded, false);
  assert.equal(missing[0]?.reason, 'no answer in time');
});

test('what is missing at the time limit is reported with its last reason', async () => {
  const check = thereAfter({ 'dns:a': 0, 'dns:b': Number.POSITIVE_INFINITY });
  const { succeeded, missing } = await waitFor(
    targets,
    { ...options, timeout: 30 },
    check,
    never,
    () => {},
  );
  assert.equal(succeeded, false);
  assert.deepEqual(
    missing.map(({ target }) => target.text),
    ['dns:b'],
  );
  assert.match(missing[0]?.reason ?? '', /^try \d+$/);
});

test('once tries each target exactly once', async () => {
  let tries = 0;
  const check: Check = async () => `try ${++tries}`;
  const { succeeded } = await waitFor(targets, { ...options, once: true }, check, never, () => {});
  assert.equal(succeeded, false);
  assert.equal(tries, 2);
});

test('the same reason is not said twice in a row', async () => {
  const said: string[] = [];
  await waitFor(
    targets.slice(0, 1),
    { ...options, timeout: 40 },
    async () => 'refused',
    never,
    (line) => said.push(line),
  );
  assert.deepEqual(said, ['waiting for dns:a: refused']);
});

test('what could not be found out is neither there nor gone', async () => {
  const unsure: Check = async () => {
    throw new ExpectedError('permission denied');
  };
  for (const not of [false, true]) {
    const { succeeded, missing } = await waitFor(
      targets.slice(0, 1),
      { ...options, not, once: true },
      unsure,
      never,
      () => {},
    );
    assert.equal(succeeded, false);
    assert.equal(missing[0]?.reason, 'permission denied');
  }
});

test('a mistake in a check is not taken for an answer', async () => {
  const broken: Check = () => Promise.reject(new TypeError('a mistake'));
  await assert.rejects(
    waitFor(targets, options, broken, never, () => {}),
    TypeError,
  );
});

test('the pause doubles up to --max-interval', async () => {
  const at: number[] = [];
  const check: Check = async () => {
    at.push(performance.now());
    return at.length > 6 ? undefined : 'refused';
  };
  const growing = { ...options, interval: 10, maxInterval: 80 };
  await waitFor(targets.slice(0, 1), growing, check, never, () => {});
  const pauses = at.slice(1).map((time, i) => time - (at[i] ?? 0));
  // A timer is never early by more than a millisecond; how late it is, is the machine's affair.
  const least = [10, 20, 40, 80, 80, 80];
  assert.ok(
    pauses.every((pause, i) => pause >= (least[i] ?? 0) - 1),
    `${pauses} against ${least}`,
  );
  assert.equal(pauses.length, least.length);
});
