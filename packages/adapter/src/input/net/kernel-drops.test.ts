import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { eventually, temporaryDirectory } from '@sidekit/test-kit';
import { kernelDrops } from './kernel-drops.ts';

test('datagrams that do not fit into the receive buffer are counted', async () => {
  const receiver = createSocket({ type: 'udp4', recvBufferSize: 4096 });
  const sender = createSocket('udp4');
  let received = 0;
  receiver.on('message', () => received++);
  receiver.bind(0, '127.0.0.1');
  await once(receiver, 'listening');
  const bound = receiver.address();
  const { port } = bound;
  assert.equal(kernelDrops(bound), 0);
  sender.connect(port, '127.0.0.1');
  await once(sender, 'connect');
  // All of them leave in one turn of the loop, in which nothing is received.
  const sent = 500;
  const leaving = Array.from(
    { length: sent },
    () => new Promise((resolve) => sender.send(Buffer.alloc(1000), resolve)),
  );
  await Promise.all(leaving);
  await eventually(() => received + kernelDrops(bound) >= sent, { what: 'all datagrams' });
  assert.ok(kernelDrops(bound) > 0);
  assert.equal(received + kernelDrops(bound), sent);
  receiver.close();
  sender.close();
});

test('without the files of the kernel nothing is counted', () => {
  assert.equal(kernelDrops({ address: '::', port: 1 }, '/nonexistent'), 0);
});

test('only the socket with the address is meant, of several with its port', () => {
  using directory = temporaryDirectory();
  const head =
    '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt uid timeout inode ref pointer drops';
  const row = (local: string, drops: number) =>
    `  1: ${local}:1F7D 00000000:0000 07 00000000:00000000 00:00000000 00000000 0 0 1 2 0 ${drops}`;
  const rows = [row('0100007F', 3), row('0500020A', 40), row('00000000', 500)];
  writeFileSync(join(directory.path, 'udp'), [head, ...rows, ''].join('\n'));
  const rows6 = [
    row('00000000000000000000000001000000', 6),
    row('B80D0120000000000000000042230000', 70),
  ];
  writeFileSync(join(directory.path, 'udp6'), [head, ...rows6, ''].join('\n'));
  const drops = (address: string) => kernelDrops({ address, port: 8061 }, directory.path);
  assert.equal(drops('127.0.0.1'), 3);
  assert.equal(drops('10.2.0.5'), 40);
  assert.equal(drops('0.0.0.0'), 500);
  assert.equal(drops('::1'), 6);
  assert.equal(drops('2001:db8::2342'), 70);
  assert.equal(drops('::'), 0);
});
