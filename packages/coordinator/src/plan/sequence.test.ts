import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { faultText } from '@sidekit/core';
import { parse } from 'yaml';
import { readSequences } from '../testing/read-plan.ts';
import { checkPlan } from './sequence.ts';

test('a plan with ten faults names all ten', () => {
  const { faults } = readSequences([
    {
      name: 'One Two',
      when: [{ start: true, stop: true }, {}],
      steps: [
        { http: { url: 'ftp://x', metod: 'POST' } },
        { signal: { process: 'app', signal: 'HUPP' } },
        { wait: { target: 'tcp:db' }, timeout: '5' },
        { http: { url: 'http://127.0.0.1/' }, retries: 2 },
      ],
      always: [{ signal: { process: 'app', signal: 'CONT' } }],
    },
  ]);
  for (const pattern of [
    /^sequences\[0\]\.name "One Two" must be a name/,
    /^sequences\[0\]\.when\[0\] must have only one of start, stop/,
    /^sequences\[0\]\.when\[1\] must have one of start, stop, changed/,
    /^sequences\[0\]\.steps\[0\]\.http\.url "ftp:\/\/x" must have the scheme/,
    /^sequences\[0\]\.steps\[0\]\.http\.metod .*did you mean method/,
    /^sequences\[0\]\.steps\[1\]\.signal\.signal "HUPP" must be the name of a signal/,
    /^sequences\[0\]\.steps\[2\]\.wait\.target "tcp:db" must have a host and a port/,
    /^sequences\[0\]\.steps\[2\]\.timeout "5" must be a duration/,
    /^sequences\[0\]\.steps\[3\]\.retries 2 needs a step that may run twice: add repeatable: true/,
    /^sequences\[0\]\.always\[0\]\.repeatable must be true in the always part/,
  ]) {
    assert.ok(
      faults.some((fault) => pattern.test(fault)),
      `${pattern} in\n${faults.join('\n')}`,
    );
  }
  assert.equal(faults.length, 10);
});

test('a plan has at most 100 sequences of 100 steps, and no two of one name', () => {
  const step = { pause: '1ms' };
  const one = (name: string, steps = 1) => ({
    name,
    when: [{ event: 'go' }],
    steps: Array.from({ length: steps }, () => step),
  });
  const many = (count: number) => Array.from({ length: count }, (_, i) => one(`s${i}`, 100));
  assert.deepEqual(readSequences(many(100)).faults, []);
  assert.match(readSequences(many(101)).faults[0] ?? '', /must be a list of 1 to 100 items/);
  assert.match(readSequences([one('a', 101)]).faults[0] ?? '', /steps 101 must be a list/);
  assert.match(
    readSequences([one('a'), one('a')]).faults[0] ?? '',
    /\[1\]\.name "a" is a duplicate/,
  );
});

test('the plans of the README are good', () => {
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
  const plans = [...readme.matchAll(/^((?:participants.*\n)?sequences:\n(?: .*\n)+)/gm)];
  assert.equal(plans.length, 2);
  for (const [text] of plans) assert.deepEqual(readSequences(parse(text).sequences).faults, []);
});

test('a step that lets nobody stop is a fault', () => {
  const { plan } = readSequences([
    { name: 'a', when: [{ stop: true }], steps: [{ letStop: 'app' }, { letStop: 'wroker' }] },
  ]);
  const faults: string[] = [];
  checkPlan(plan, ['app', 'worker'], (fault) => faults.push(faultText(fault)));
  assert.deepEqual(faults, [
    'sequences[0].steps[1].letStop "wroker" is not one of participants: known are app, worker',
  ]);
});
