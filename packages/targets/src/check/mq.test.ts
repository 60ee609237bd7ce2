import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PosixMQ, unlinkQueue } from '@sidekit/posix-mq';
import { checkQueue } from './mq.ts';

test('a queue is there when it holds enough messages, and they stay in it', async () => {
  const name = `/sidekit-targets-${process.pid}`;
  assert.equal(await checkQueue(name), 'there is no such queue yet');
  const queue = await PosixMQ.open({ name, access: 'both', create: true });
  try {
    queue.push('one');
    assert.equal(await checkQueue(name), undefined);
    assert.equal(await checkQueue(name, 2), 'it holds 1 of 2 messages');
    queue.push('two');
    assert.equal(await checkQueue(name, 2), undefined);
    assert.equal(queue.curmsgs, 2);
  } finally {
    queue.close();
    unlinkQueue(name);
  }
});
