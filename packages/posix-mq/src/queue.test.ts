import assert from 'node:assert/strict';
import { once } from 'node:events';
import { statSync } from 'node:fs';
import { afterEach, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { eventually, TestProcess } from '@sidekit/test-kit';
import {
  allocateSlab,
  PosixMQ,
  type PosixMQError,
  queueBytes,
  queueLimits,
  unlinkQueue,
} from './index.ts';

let made: PosixMQ[] = [];
let serial = 0;

afterEach(async () => {
  for (const queue of made) {
    queue.close();
    await unlinkQueue(queue.name);
  }
  made = [];
});

async function create(options: { maxmsgs?: number; msgsize?: number; mode?: number } = {}) {
  const name = `/sidekit-test-${process.pid}-${serial++}`;
  const queue = await PosixMQ.open({ name, create: true, msgsize: 64, ...options });
  made.push(queue);
  return queue;
}

test('a message that is pushed is shifted, by its length', async () => {
  const queue = await create();
  assert.equal(queue.push(Buffer.from('hello')), true);
  assert.equal(queue.push('wörld'), true);
  assert.equal(queue.curmsgs, 2);
  assert.deepEqual(queue.shift(), Buffer.from('hello'));
  const buffer = Buffer.alloc(64);
  assert.equal(queue.shift(buffer), 6);
  assert.equal(buffer.toString('utf8', 0, 6), 'wörld');
  assert.equal(queue.shift(), false);
});

test('a message of no bytes is a message', async () => {
  const queue = await create();
  queue.push('');
  assert.deepEqual(queue.shift(), Buffer.alloc(0));
  queue.push('');
  assert.equal(queue.shift(Buffer.alloc(64)), 0);
});

test('higher priorities come first, equal ones in order, from 0 to 31', async () => {
  const queue = await create();
  for (const [text, priority] of [
    ['a', 0],
    ['b', 31],
    ['c', 5],
    ['d', 31],
    ['e', 0],
  ] as const) {
    queue.push(text, priority);
  }
  const buffer = Buffer.alloc(64);
  const seen: [string, number][] = [];
  for (let i = 0; i < 5; i++) {
    const [length, priority] = queue.shift(buffer, true) || assert.fail('no message');
    seen.push([buffer.toString('utf8', 0, length), priority]);
  }
  assert.deepEqual(seen, [
    ['b', 31],
    ['d', 31],
    ['c', 5],
    ['a', 0],
    ['e', 0],
  ]);
});

test('a full queue refuses, and writable() resolves when there is room', async () => {
  const queue = await create({ maxmsgs: 2 });
  assert.equal(queue.push('1'), true);
  assert.equal(queue.push('2'), true);
  assert.equal(queue.isFull, true);
  assert.equal(queue.push('3'), false);
  let ready = false;
  const writable = queue.writable().then((value) => {
    ready = value;
  });
  await new Promise(setImmediate);
  assert.equal(ready, false);
  queue.shift();
  await writable;
  assert.equal(ready, true);
  assert.equal(queue.push('3'), true);
});

test('readable() resolves when another process sends, and costs no CPU until then', async () => {
  const queue = await create();
  const before = process.cpuUsage();
  const waiting = queue.readable();
  const main = fileURLToPath(new URL('./index.ts', import.meta.url));
  await using sender = new TestProcess(process.execPath, [
    '--input-type=module',
    '--eval',
    `const { PosixMQ } = await import(${JSON.stringify(main)});
     const queue = await PosixMQ.open({ name: ${JSON.stringify(queue.name)}, access: 'write' });
     queue.push('from afar', 3);`,
  ]);
  assert.equal(await waiting, true);
  const { user, system } = process.cpuUsage(before);
  assert.equal(queue.shift()?.toString(), 'from afar');
  assert.deepEqual(await sender.exited, { code: 0, signal: null }, sender.stderr);
  // A poll every millisecond would have taken more than this while Node started.
  assert.ok(user + system < 100_000, `${user + system} µs of CPU`);
});

test('a wait ends at once, even if nothing else happens in the process', async () => {
  const queue = await create();
  const main = fileURLToPath(new URL('./index.ts', import.meta.url));
  await using echo = new TestProcess(process.execPath, [
    '--input-type=module',
    '--eval',
    `const { PosixMQ } = await import(${JSON.stringify(main)});
     const queue = await PosixMQ.open({ name: ${JSON.stringify(queue.name)} });
     // The only timer: without a turn of its own, the promise would wait for it.
     const timer = setTimeout(() => console.log('late'), 5000);
     console.log('waiting');
     await queue.readable();
     clearTimeout(timer);
     console.log(String(queue.shift()));`,
  ]);
  await eventually(() => echo.stdout === 'waiting\n', { what: 'the other to wait' });
  queue.push('go');
  await echo.exited;
  assert.equal(echo.stdout, 'waiting\ngo\n', echo.stderr);
});

test('several can wait for one queue, in both directions', async () => {
  const queue = await create({ maxmsgs: 1 });
  const [a, b, writable] = [queue.readable(), queue.readable(), queue.writable()];
  assert.equal(await writable, true);
  queue.push('x');
  assert.deepEqual(await Promise.all([a, b]), [true, true]);
});

test('waiting ends with false when it is aborted', async () => {
  const queue = await create();
  const stop = new AbortController();
  const waiting = queue.readable(stop.signal);
  stop.abort();
  assert.equal(await waiting, false);
  assert.equal(await queue.readable(stop.signal), false);
  const again = queue.readable();
  queue.push('x');
  assert.equal(await again, true);
});

test('waiting ends with false when the queue is closed, and closing twice is allowed', async () => {
  const queue = await create();
  const waiting = queue.readable();
  queue.close();
  queue.close();
  assert.equal(await waiting, false);
  assert.equal(await queue.writable(), false);
  assert.throws(() => queue.push('x'), { code: 'EBADF' });
});

test('messages is emitted again only after a shift found the queue empty', async () => {
  const queue = await create();
  let emitted = 0;
  queue.on('messages', () => emitted++);
  queue.push('1');
  await once(queue, 'messages');
  queue.push('2');
  await new Promise(setImmediate);
  assert.equal(emitted, 1);
  assert.equal(queue.shiftAll().length, 2);
  queue.push('3');
  await once(queue, 'messages');
  assert.equal(emitted, 2);
});

test('drain is emitted when there is room again after a refusal', async () => {
  const queue = await create({ maxmsgs: 1 });
  queue.push('1');
  assert.equal(queue.push('2'), false);
  const drained = once(queue, 'drain');
  queue.shift();
  await drained;
  assert.equal(queue.push('2'), true);
});

test('a listener that is removed no longer keeps the process alive', async () => {
  const main = fileURLToPath(new URL('./index.ts', import.meta.url));
  const queue = await create();
  await using program = new TestProcess(process.execPath, [
    '--input-type=module',
    '--eval',
    `const { PosixMQ } = await import(${JSON.stringify(main)});
     const queue = await PosixMQ.open({ name: ${JSON.stringify(queue.name)} });
     const listener = () => {};
     queue.on('messages', listener);
     setTimeout(() => queue.off('messages', listener), 5);`,
  ]);
  assert.deepEqual(await program.exited, { code: 0, signal: null }, program.stderr);
});

test('shiftAll takes at most as many as asked for', async () => {
  const queue = await create();
  for (const text of ['1', '2', '3']) queue.push(text);
  assert.deepEqual(queue.shiftAll(2).map(String), ['1', '2']);
  assert.deepEqual(queue.shiftAll().map(String), ['3']);
});

test('a slab sends and receives at any place in it', async () => {
  const queue = await create();
  const slab = await allocateSlab(256);
  slab.bytes.write('..hello', 10);
  assert.equal(queue.sendFrom(slab, 12, 5), true);
  assert.equal(queue.receiveInto(slab, 192), 5);
  assert.equal(slab.bytes.toString('utf8', 192, 197), 'hello');
  assert.equal(queue.receiveInto(slab, 0), -1);
  assert.throws(() => queue.receiveInto(slab, 193), RangeError);
  assert.throws(() => queue.sendFrom(slab, 250, 7), RangeError);
  assert.throws(() => queue.sendFrom(slab, -1, 7), RangeError);
});

test('the mode holds whatever the umask', async () => {
  const umask = process.umask(0o077);
  try {
    const queue = await create({ mode: 0o666 });
    assert.equal(statSync(`/dev/mqueue${queue.name}`).mode & 0o777, 0o666);
  } finally {
    process.umask(umask);
  }
});

test('opening what exists leaves its attributes and mode as they are', async () => {
  const queue = await create({ maxmsgs: 3, mode: 0o600 });
  using second = new PosixMQ();
  await second.open({ name: queue.name, create: true, mode: '0666', maxmsgs: 7 });
  assert.deepEqual([queue.created, second.created, second.maxmsgs], [true, false, 3]);
  assert.equal(statSync(`/dev/mqueue${queue.name}`).mode & 0o777, 0o600);
});

test('a queue that was unlinked works on, and differs from a new one of its name', async () => {
  const queue = await create();
  const { inode, links } = queue.identity();
  assert.equal(links, 1);
  queue.unlink();
  assert.deepEqual(queue.identity(), { inode, links: 0 });
  using second = await PosixMQ.open({ name: queue.name, create: true, msgsize: 64 });
  assert.notEqual(second.identity().inode, inode);
  queue.push('old');
  assert.equal(second.shift(), false);
  assert.equal(queue.shift()?.toString(), 'old');
  assert.throws(() => {
    second.unlink();
    second.unlink();
  }, /does not exist any more \(mq_unlink: ENOENT\)/);
});

test('reading needs read access and writing write access', async () => {
  const queue = await create();
  using reader = await PosixMQ.open({ name: queue.name, access: 'read' });
  using writer = await PosixMQ.open({ name: queue.name, access: 'write' });
  assert.throws(() => reader.push('x'), /is not open for writing \(mq_send: EBADF\)/);
  assert.throws(() => writer.shift(), /is not open for reading \(mq_receive: EBADF\)/);
});

test('a message that is too long, a short buffer and a bad priority are refused in words', async () => {
  const queue = await create();
  assert.throws(
    () => queue.push(Buffer.alloc(65)),
    new RegExp(
      `^PosixMQError: queue ${queue.name} takes messages of at most 64 B, this one has 65 B \\(mq_send: EMSGSIZE\\): send less`,
    ),
  );
  assert.throws(() => queue.shift(Buffer.alloc(63)), /the buffer has 63 B/);
  assert.throws(() => queue.push('x', 32_768), /has no priority 32768 .*: use 0 to 31/);
  assert.equal(queue.curmsgs, 0);
});

test('opening fails with the limit found and the remedy', async () => {
  const name = `/sidekit-test-${process.pid}-none`;
  const failure = async (options: object): Promise<PosixMQError> => {
    const queue = await PosixMQ.open({ name, ...options }).catch((error) => error);
    assert.equal(queue.name, 'PosixMQError', String(queue));
    return queue;
  };
  const { maxmsgs = 0, msgsize = 0 } = queueLimits();
  const many = await failure({ create: true, maxmsgs: maxmsgs + 1 });
  assert.deepEqual([many.code, many.errno, many.syscall], ['EINVAL', 22, 'mq_open']);
  assert.equal(
    many.message,
    `queue ${name} cannot hold ${maxmsgs + 1} messages, the limit here is ${maxmsgs} (fs.mqueue.msg_max) (mq_open: EINVAL): use ${maxmsgs} or fewer`,
  );
  assert.match(
    (await failure({ create: true, msgsize: msgsize + 1 })).message,
    new RegExp(`the limit here is ${msgsize} B \\(fs.mqueue.msgsize_max\\)`),
  );
  assert.match((await failure({ create: true, maxmsgs: 0 })).message, /both must be at least 1/);
  assert.match((await failure({})).message, /does not exist \(mq_open: ENOENT\): open it with cr/);
  assert.match(
    (await failure({ name: 'nope' })).message,
    /must start with a slash .*: write \/nope/,
  );
  assert.match((await failure({ mode: '0999' })).message, /cannot have the mode 0999/);
  const queue = await create();
  assert.match(
    (await failure({ name: queue.name, create: true, exclusive: true })).message,
    /exists already \(mq_open: EEXIST\)/,
  );
});

test('the byte budget is what the kernel counts: 73 queues of 10 × 1024 B in 819,200 B', () => {
  assert.equal(Math.floor(819_200 / queueBytes(10, 1024)), 73);
  assert.equal(Math.floor(819_200 / queueBytes(10, 8192)), 9);
});

test('iterating takes messages as they arrive, until the queue is closed', async () => {
  const queue = await create();
  queue.push('a');
  queue.push('b');
  const found: string[] = [];
  const ended = (async () => {
    for await (const message of queue) found.push(message.toString());
  })();
  await eventually(() => found.length === 2, { what: 'the first messages' });
  queue.push('c');
  await eventually(() => found.length === 3, { what: 'the next one' });
  queue.close();
  await ended;
  assert.deepEqual(found, ['a', 'b', 'c']);
});

test('an iteration that is left takes no further message', async () => {
  const queue = await create();
  for (const text of ['a', 'b']) queue.push(text);
  for await (const message of queue) {
    assert.equal(message.toString(), 'a');
    break;
  }
  assert.equal(queue.curmsgs, 1);
});
