import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { faultText } from '@sidekit/core';
import { parse } from 'yaml';
import { checkLeadership, type LeadershipOptions } from '../lead/options.ts';
import { readSequences } from '../testing/read-plan.ts';
import { checkPlan } from './between.ts';

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
  assert.match(readSequences(many(101)).faults[0] ?? '', /must be a list of 0 to 100 items/);
  assert.match(readSequences([one('a', 101)]).faults[0] ?? '', /steps 101 must be a list/);
  assert.match(
    readSequences([one('a'), one('a')]).faults[0] ?? '',
    /\[1\]\.name "a" is a duplicate/,
  );
});

test('the plans of the README are good', () => {
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
  const plans = [...readme.matchAll(/^((?:participants.*\n)?sequences:\n(?: .*\n)+)/gm)];
  assert.equal(plans.length, 3);
  for (const [text] of plans) assert.deepEqual(readSequences(parse(text).sequences).faults, []);
});

test('leadership needs a lease, and what the leader does is not also done without it', () => {
  const one = (name: string, when: object, more: object = {}) => ({
    name,
    when: [when],
    steps: [{ pause: '1ms' }],
    ...more,
  });
  const { plan } = readSequences([
    one('a', { leadership: 'gained' }),
    one('b', { leadership: 'lost' }),
    one('c', { interval: '1s' }, { leaderOnly: true }),
    one('d', { leadership: 'lost' }, { leaderOnly: true }),
    one('e', { interval: '1s' }),
  ]);
  const check = (leadership?: object) => {
    const faults: string[] = [];
    checkPlan(plan, { participants: [], leadership }, (fault) => faults.push(faultText(fault)));
    return faults;
  };
  assert.deepEqual(
    check(),
    ['a', 'b', 'c', 'd'].map(
      (name, i) =>
        `sequences[${i}] "${name}" needs the key leadership: add leadership: { lease: NAME }`,
    ),
  );
  assert.deepEqual(check({}), [
    'sequences[3].when "d" must not have leadership: lost in a sequence that only the leader runs: split it',
  ]);
});

test('a plan without sequences is one with leadership only', () => {
  const faults: string[] = [];
  checkPlan([], { participants: [] }, (fault) => faults.push(faultText(fault)));
  checkPlan([], { participants: [], leadership: {} }, (fault) => faults.push(faultText(fault)));
  assert.deepEqual(faults, ['sequences must have at least one sequence: add one, or leadership']);
});

test('times of an election that let two replicas lead are faults', () => {
  const faults = (duration: number, renewDeadline: number, retryPeriod: number) => {
    const found: string[] = [];
    const times = { duration, renewDeadline, retryPeriod } as LeadershipOptions;
    checkLeadership(times, 'https://10.0.0.1:443', (fault) => found.push(fault.name));
    return found;
  };
  assert.deepEqual(faults(15_000, 10_000, 2000), []);
  assert.deepEqual(faults(10_000, 10_000, 2000), ['leadership.duration']);
  assert.deepEqual(faults(5000, 10_000, 9000), ['leadership.duration', 'leadership.renewDeadline']);
});

test('a step that lets nobody stop is a fault', () => {
  const { plan } = readSequences([
    { name: 'a', when: [{ stop: true }], steps: [{ letStop: 'app' }, { letStop: 'wroker' }] },
  ]);
  const faults: string[] = [];
  checkPlan(plan, { participants: ['app', 'worker'] }, (fault) => faults.push(faultText(fault)));
  assert.deepEqual(faults, [
    'sequences[0].steps[1].letStop "wroker" is not one of participants: known are app, worker',
  ]);
});

test('headers that HTTP does not allow, and a process without a name, are faults', () => {
  const http = (headers: object) => ({ http: { url: 'http://a/', headers } });
  const { faults } = readSequences([
    {
      name: 'a',
      when: [{ start: true }],
      steps: [
        http({ 'x-good': 'a b', Authorization: 'Basic eA==' }),
        http({ 'a\nb': 'c' }),
        http({ secret: 'hush\r\nhost: b', 'Content-Length': '5' }),
        { signal: { process: '', signal: 'HUP' } },
      ],
    },
  ]);
  assert.deepEqual(
    faults.map((fault) => fault.split(' ')[0]),
    [
      'sequences[0].steps[1].http.headers["a\\nb"]',
      'sequences[0].steps[2].http.headers.secret',
      'sequences[0].steps[2].http.headers.Content-Length',
      'sequences[0].steps[3].signal.process',
    ],
  );
  assert.doesNotMatch(faults.join(), /hush/);
});

test('a plan that writes to the directory of its journal, or is triggered by it, is a fault', () => {
  const { plan } = readSequences([
    {
      name: 'a',
      when: [{ changed: '/data/state/../state/' }, { changed: '/data' }],
      steps: [
        { write: { path: '/data/state/journal.json', content: '' } },
        { write: { path: '/data/statement', content: '' } },
      ],
      always: [{ write: { path: '/data/state', content: '' } }],
    },
  ]);
  const faults: string[] = [];
  const parts = { participants: [], stateDir: '/data/state/' };
  checkPlan(plan, parts, ({ name }) => faults.push(name));
  assert.deepEqual(faults, [
    'sequences[0].when[0].changed',
    'sequences[0].steps[0].write.path',
    'sequences[0].always[0].write.path',
  ]);
});
