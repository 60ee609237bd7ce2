import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { test } from 'node:test';
import { createLog } from '@sidekit/core';
import { eventually } from '@sidekit/test-kit';
import { openUdp } from './udp.ts';

test('datagrams that the kernel drops are logged, with what the receive buffer lacks', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const lines: string[] = [];
  const log = createLog({ name: 'test', write: (line) => void lines.push(line) });
  const { socket, port, receiveBuffer, drops } = await openUdp('127.0.0.1', 0, '--statsd', log);
  assert.ok(receiveBuffer > 0 && receiveBuffer <= 4 * 1024 * 1024);
  t.mock.timers.tick(10_000);
  assert.deepEqual(lines, []);
  const sender = createSocket('udp4');
  sender.connect(port, '127.0.0.1');
  await once(sender, 'connect');
  // All of them leave in one turn of the loop, in which nothing is received.
  const sent = Array.from({ length: 400 }, () => {
    return new Promise((resolve) => sender.send(Buffer.alloc(60_000), resolve));
  });
  await Promise.all(sent);
  await eventually(() => drops() > 0, { what: 'a drop' });
  const dropped = drops();
  t.mock.timers.tick(10_000);
  assert.equal(lines.length, 1);
  const record = JSON.parse(lines[0]!);
  assert.equal(record.event, 'datagrams_dropped');
  assert.equal(record.dropped, dropped);
  assert.equal(record.receiveBuffer, receiveBuffer);
  t.mock.timers.tick(10_000);
  assert.equal(lines.length, 1, 'the same ones are not logged again');
  sender.close();
  socket.close();
});
