import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Health } from './health.ts';

test('a process without conditions is well', () => {
  const ok = { status: 'ok', reasons: [], warnings: [] };
  const health = new Health();
  for (const probe of ['startup', 'ready', 'live'] as const) {
    assert.deepEqual(health.report(probe), ok);
  }
});

test('a condition fails its own probes with its reason, from the start', () => {
  const health = new Health();
  const queue = health.condition('queue', 'startup', 'ready');
  const starting = [{ name: 'queue', reason: 'starting' }];
  assert.deepEqual(health.report('ready'), {
    status: 'unavailable',
    reasons: starting,
    warnings: [],
  });
  assert.equal(health.report('live').status, 'ok');
  queue.fail('no such queue');
  assert.equal(health.report('ready').reasons[0]?.reason, 'no such queue');
  queue.pass();
  assert.equal(health.report('ready').status, 'ok');
});

test('a startup that has passed stays passed, also between two probes', () => {
  const health = new Health();
  assert.equal(health.report('startup').status, 'ok', 'no condition yet');
  const queue = health.condition('queue', 'startup');
  assert.equal(health.report('startup').status, 'unavailable');
  queue.pass();
  queue.fail('gone');
  assert.equal(health.report('startup').status, 'ok');
});

test('a warning is listed without making anything unavailable', () => {
  const health = new Health();
  health.condition('config', 'ready').warn('the new file is refused');
  assert.deepEqual(health.report('ready'), {
    status: 'ok',
    reasons: [],
    warnings: [{ name: 'config', reason: 'the new file is refused' }],
  });
});

test('listeners hear of each change, not of repetitions, until they end', () => {
  const health = new Health();
  let changes = 0;
  const end = health.onChange(() => changes++);
  const condition = health.condition('a', 'ready');
  condition.pass();
  condition.pass();
  assert.equal(changes, 1);
  health.condition('a', 'ready').fail('x');
  assert.equal(changes, 2);
  end();
  condition.pass();
  assert.equal(changes, 2);
});
