import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLog, silentLog } from '../observe/log.ts';
import { Lifecycle } from './lifecycle.ts';

test('steps run in reverse order, each after the one before', async () => {
  const lifecycle = new Lifecycle(silentLog);
  const order: string[] = [];
  for (const name of ['first', 'second']) {
    lifecycle.onStop(name, async () => {
      order.push(`${name} begins`);
      await new Promise(setImmediate);
      order.push(`${name} ends`);
    });
  }
  assert.equal(lifecycle.stopping.aborted, false);
  assert.equal(await lifecycle.stop(10_000), true);
  assert.equal(lifecycle.stopping.aborted, true);
  assert.deepEqual(order, ['second begins', 'second ends', 'first begins', 'first ends']);
});

test('a step that fails is logged and does not keep the others from running', async () => {
  const lines: string[] = [];
  const lifecycle = new Lifecycle(createLog({ name: 'test', write: (line) => lines.push(line) }));
  let ran = false;
  lifecycle.onStop('server', () => {
    ran = true;
  });
  lifecycle.onStop('queue', () => Promise.reject(new Error('EBADF')));
  assert.equal(await lifecycle.stop(10_000), false);
  assert.ok(ran);
  assert.match(lines.join(''), /a stop step failed","step":"queue","error":"EBADF"/);
});

test('what is added during the stop is undone too', async () => {
  const lifecycle = new Lifecycle(silentLog);
  const order: string[] = [];
  lifecycle.onStop('early', () => order.push('early'));
  lifecycle.onStop('work', async () => {
    await new Promise(setImmediate);
    lifecycle.onStop('late', () => order.push('late'));
  });
  assert.equal(await lifecycle.stop(10_000), true);
  assert.deepEqual(order, ['late', 'early']);
});

test('the stop ends with the grace period and names the step that hung', async () => {
  const lines: string[] = [];
  const lifecycle = new Lifecycle(createLog({ name: 'test', write: (line) => lines.push(line) }));
  lifecycle.onStop('stuck', () => new Promise(() => {}));
  assert.equal(await lifecycle.stop(20), false);
  assert.match(lines.join(''), /the grace period ended.*"step":"stuck","gracePeriod":20/);
});

test('a second stop waits for the first', async () => {
  const lifecycle = new Lifecycle(silentLog);
  let stops = 0;
  lifecycle.onStop('once', () => stops++);
  await Promise.all([lifecycle.stop(1000), lifecycle.stop(1000)]);
  assert.equal(stops, 1);
});
