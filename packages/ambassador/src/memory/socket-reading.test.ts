import assert from 'node:assert/strict';
import { once } from 'node:events';
import net, { type AddressInfo } from 'node:net';
import { test } from 'node:test';
import { eventually } from '@sidekit/test-kit';
import type { LentBytes } from './lent-bytes.ts';
import { MemoryBudget } from './memory-budget.ts';
import { READ_SIZE, ReadBufferPool } from './read-buffer.ts';
import { acceptShared, readingShared, receive } from './socket-reading.ts';

/** Two ends of a connection, of which the server's reads shared memory. */
async function connected(memory = new MemoryBudget(1024 * READ_SIZE)) {
  const pool = new ReadBufferPool(memory);
  const server = net.createServer((accepted) => {
    server.emit('shared', acceptShared(accepted, pool, {}));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = net.connect((server.address() as AddressInfo).port, '127.0.0.1');
  const [socket] = (await once(server, 'shared')) as [net.Socket];
  return {
    client,
    socket,
    server,
    memory,
    async [Symbol.asyncDispose]() {
      client.destroy();
      socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

test('two reads use the same memory, and a part that was taken keeps its bytes', async () => {
  await using both = await connected();
  const memory: ArrayBufferLike[] = [];
  const taken: LentBytes[] = [];
  receive(both.socket, (read) => {
    memory.push(read.bytes.buffer);
    taken.push(read.take(0, read.bytes.length));
  });
  for (const [i, text] of ['first', 'second'].entries()) {
    both.client.write(text);
    await eventually(() => taken.length === i + 1, { what: text });
  }
  assert.equal(memory[0], memory[1]);
  assert.deepEqual(
    taken.map(({ bytes }) => bytes.toString()),
    ['first', 'second'],
  );
});

test('large parts are counted in the budget until they are released', async () => {
  await using both = await connected();
  const taken: LentBytes[] = [];
  let received = 0;
  receive(both.socket, (read) => {
    received += read.bytes.length;
    taken.push(read.take(0, read.bytes.length));
  });
  const sent = Buffer.alloc(20 * READ_SIZE).map((_, i) => i % 251);
  both.client.write(sent);
  await eventually(() => received === sent.length, { what: 'all bytes' });
  assert.ok(Buffer.concat(taken.map(({ bytes }) => bytes)).equals(sent));
  const counted = taken.filter((one) => one.counted);
  assert.ok(both.memory.used >= counted.reduce((sum, { bytes }) => sum + bytes.length, 0));
  for (const one of taken) one.release();
  both.client.end();
  await once(both.socket, 'close');
  assert.equal(both.memory.used, 0);
});

/** A socket whose reads the test makes: `read` fills the buffer that is next. */
function filled() {
  const memory = new MemoryBudget(1024 * READ_SIZE);
  let onread: net.OnReadOpts | undefined;
  const socket = readingShared(new ReadBufferPool(memory), (options) => {
    onread = options;
    return new net.Socket();
  });
  const { buffer, callback } = onread!;
  const next = buffer as () => Buffer;
  let target = next();
  const read = () => {
    callback(target.length, target);
    target = next();
  };
  return { socket, memory, read };
}

test('a connection that somebody else reads now keeps no memory', () => {
  const { socket, memory, read } = filled();
  const stop = receive(socket, () => {});
  read();
  assert.equal(memory.used, READ_SIZE, 'the next read of a fast sender');
  stop();
  socket.resume();
  read();
  assert.equal(memory.used, 0);
  read();
  assert.equal(memory.used, 0);
});

test('a connection that expects nothing more keeps no memory', () => {
  const { socket, memory, read } = filled();
  let left = 2;
  receive(
    socket,
    () => left--,
    () => left > 0,
  );
  read();
  assert.equal(memory.used, READ_SIZE);
  read();
  assert.equal(memory.used, 0);
});

test('without a receiver the bytes go to the stream, and its end follows', async () => {
  await using both = await connected();
  const stop = receive(both.socket, () => assert.fail('not any more'));
  stop();
  both.socket.setEncoding('latin1');
  let text = '';
  both.socket.on('data', (piece) => (text += piece));
  both.client.end('x'.repeat(3 * READ_SIZE));
  await once(both.socket, 'end');
  assert.equal(text.length, 3 * READ_SIZE);
});

test('the server counts such a connection until it is closed', async () => {
  await using both = await connected();
  const count = () =>
    new Promise<number>((resolve) => both.server.getConnections((_, all) => resolve(all)));
  assert.equal(await count(), 1);
  both.socket.destroy();
  await once(both.socket, 'close');
  assert.equal(await count(), 0);
});
