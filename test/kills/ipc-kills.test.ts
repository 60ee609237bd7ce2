/** Neighbours over shared memory are killed in real containers. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { linesAfter } from '../engine/lines.ts';
import { applyChanged, killProcess, LONG, type ManifestObject, restartsOf } from './kill.ts';

const onlyLong = { skip: !LONG && 'only in the long form' };

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
