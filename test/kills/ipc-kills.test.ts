/** Neighbours over shared memory and a semaphore are killed in real containers. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { linesAfter } from '../engine/lines.ts';
import { applyChanged, killProcess, LONG, type ManifestObject, restartsOf } from './kill.ts';

const onlyLong = { skip: !LONG && 'only in the long form' };

/** The first container has its turn for longer than the kill takes on a busy machine. */
function killedLate(objects: readonly ManifestObject[]): void {
  for (const { spec } of objects) spec.containers[0].livenessProbe.initialDelaySeconds = 60;
}

test(
  'a container that is killed while it waits for the semaphore gets its turn later',
  onlyLong,
  async () => {
    const pod = 'semaphore';
    await using session = await applyChanged(pod, killedLate);
    await session.logged(pod, 'second', /another process has it/);
    // The first one has become its command.
    await killProcess(session, { pod, from: 'first', process: 'wait-for' });
    const { status } = await session.completed(pod);
    assert.equal(status.phase, 'Succeeded');
    assert.ok((await restartsOf(session, pod, 'second')) >= 1);
    const second = await session.finalLog(pod, 'second');
    assert.deepEqual(linesAfter(second, 'the second one '), ['has its turn']);
  },
);

/** Numbers come slowly enough to be killed in between, and who is killed is started again. */
function slowly(objects: readonly ManifestObject[]): void {
  for (const { spec } of objects) {
    spec.restartPolicy = 'OnFailure';
    spec.containers[0].args.push('--interval', '2ms');
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
    assert.equal(produced.length, 5001);
    assert.deepEqual(consumed.slice(-produced.length), produced);
    assert.match(consumed.join(' '), /^(?:[0-9a-f]{1,2} )+done$/);
  },
);
