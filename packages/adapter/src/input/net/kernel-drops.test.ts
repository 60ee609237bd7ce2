import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { test } from 'node:test';
import { eventually } from '@sidekit/test-kit';
import { kernelDrops } from './kernel-drops.ts';

test('datagrams that do not fit into the receive buffer are counted', async () => {
  const receiver = createSocket({ type: 'udp4', recvBufferSize: 4096 });
  const sender = createSocket('udp4');
  let received = 0;
  receiver.on('message', () => received++);
  receiver.bind(0, '127.0.0.1');
  await once(receiver, 'listening');
  const { port } = receiver.address();
  assert.equal(kernelDrops(port), 0);
  sender.connect(port, '127.0.0.1');
  await once(sender, 'connect');
  // All of them leave in one turn of the loop, in which nothing is received.
  const sent = 500;
  const leaving = Array.from(
    { length: sent },
    () => new Promise((resolve) => sender.send(Buffer.alloc(1000), resolve)),
  );
  await Promise.all(leaving);
  await eventually(() => received + kernelDrops(port) >= sent, { what: 'all datagrams' });
  assert.ok(kernelDrops(port) > 0);
  assert.equal(received + kernelDrops(port), sent);
  receiver.close();
  sender.close();
});

test('without the files of the kernel nothing is counted', () => {
  assert.equal(kernelDrops(1, '/nonexistent'), 0);
});
