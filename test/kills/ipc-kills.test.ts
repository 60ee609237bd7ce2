/** Neighbours over shared memory and a semaphore are killed in real containers. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '@sidekit/test-kit';
import { linesAfter } from '../engine/lines.ts';
import { applyChanged, killProcess, LONG, type ManifestObject, restartsOf, run } from './kill.ts';

/** A minute of numbers: a busy machine takes a while to kill. */
const COUNT = 1200;
const onlyLong = { skip: !LONG && 'only in the long form' };

/** The first container has its turn until this test ends it. */
function untilKilled(objects: readonly ManifestObject[]): void {
  for (const { spec } of objects) delete spec.containers[0].livenessProbe;
}

/** Kills the process that waits in the turn of the first container. */
const END_TURN = `
const { readFileSync, readdirSync } = require('node:fs');
for (const pid of readdirSync('/proc').filter((one) => Number(one) && Number(one) !== process.pid)) {
  try {
    const command = readFileSync('/proc/' + pid + '/cmdline', 'utf8');
    if (!command.includes("console.log('the first one has its turn')")) continue;
    process.kill(Number(pid), 'SIGKILL');
    console.log('killed');
  } catch {}
}`;

test(
  'a container that is killed while it waits for the semaphore gets its turn later',
  onlyLong,
  async () => {
    const pod = 'semaphore';
    await using session = await applyChanged(pod, untilKilled);
    await session.logged(pod, 'second', /another process has it/);
    // The first one has become its command.
    await killProcess(session, { pod, from: 'first', process: 'wait-for' });
    await eventually(async () => (await restartsOf(session, pod, 'second')) >= 1, {
      what: 'a restart of the second container',
    });
    await session.logged(pod, 'second', /another process has it/);
    assert.equal(await run(session, pod, 'second', END_TURN), 'killed');
    const { status } = await session.completed(pod);
    assert.equal(status.phase, 'Succeeded');
    const second = await session.finalLog(pod, 'second');
    assert.deepEqual(linesAfter(second, 'the second one '), ['has its turn']);
  },
);

/** Numbers come slowly enough to be killed in between, and who is killed is started again. */
function slowly(objects: readonly ManifestObject[]): void {
  for (const { spec } of objects) {
    spec.restartPolicy = 'OnFailure';
    const { args } = spec.containers[0];
    args[args.indexOf('--count') + 1] = String(COUNT);
    args.push('--interval', '50ms');
  }
}

test(
  'a consumer of the ring that is killed is followed by one that reads on, with no record torn',
  onlyLong,
  async () => {
    const pod = 'shared-memory';
    await using session = await applyChanged(pod, slowly);
    await session.logged(pod, 'consumer', /Consumed: /);
    await killProcess(session, { pod, from: 'producer', process: 'mq consumer' });
    const { status } = await session.completed(pod);
    assert.equal(status.phase, 'Succeeded');
    assert.ok((await restartsOf(session, pod, 'consumer')) >= 1);
    const produced = linesAfter(await session.finalLog(pod, 'producer'), 'Produced: ');
    const consumed = linesAfter(await session.finalLog(pod, 'consumer'), 'Consumed: ');
    assert.ok(consumed.length > 1);
    assert.deepEqual(consumed, produced.slice(-consumed.length));
  },
);

test(
  'a producer of the ring that is killed is followed by one that the consumer hears out',
  onlyLong,
  async () => {
    const pod = 'shared-memory';
    await using session = await applyChanged(pod, slowly);
    await session.logged(pod, 'consumer', /Consumed: /);
    await killProcess(session, { pod, from: 'consumer', process: 'mq producer' });
    const { status } = await session.completed(pod);
    assert.equal(status.phase, 'Succeeded');
    assert.ok((await restartsOf(session, pod, 'producer')) >= 1);
    assert.equal(await restartsOf(session, pod, 'consumer'), 0);
    const produced = linesAfter(await session.finalLog(pod, 'producer'), 'Produced: ');
    const consumed = linesAfter(await session.finalLog(pod, 'consumer'), 'Consumed: ');
    assert.equal(produced.length, COUNT + 1);
    assert.deepEqual(consumed.slice(-produced.length), produced);
    assert.match(consumed.join(' '), /^(?:[0-9a-f]{1,2} )+done$/);
  },
);
