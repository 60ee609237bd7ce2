import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { eventually, TestProcess, temporaryDirectory } from '@sidekit/test-kit';
import { RingConsumer, RingProducer, unlinkSegment } from '../index.ts';
import { compile, noCompiler } from '../testing/compiler.ts';
import { startScript } from '../testing/processes.ts';
import { MIN_CAPACITY } from './layout.ts';

/** Records are as testing/peer.c makes them. */
const SOURCE = fileURLToPath(new URL('../testing/peer.c', import.meta.url));
const COUNT = 20_000;
const directory = temporaryDirectory('ring-peer');
const peer = `${directory.path}/peer`;

before(() => {
  if (!noCompiler) compile(SOURCE, peer);
});
after(() => directory.remove());

let serial = 0;
let name = '';
let path = '';

afterEach(() => {
  unlinkSegment(name);
});

function nextName() {
  name = `/sidekit-peer-${process.pid}-${serial++}`;
  path = `/dev/shm${name}`;
  return { name, create: true, capacity: MIN_CAPACITY };
}

function recordOf(number: number): string {
  return `${number}:${String.fromCharCode(97 + (number % 26)).repeat(number % 500)}`;
}

test('a consumer in C takes what JavaScript adds, through a ring that is often full', {
  skip: noCompiler,
}, async () => {
  using producer = await RingProducer.open(nextName());
  await using consumer = new TestProcess(peer, ['consume', path, `${COUNT}`]);
  for (let i = 0; i < COUNT; ) {
    if (producer.push(recordOf(i))) i++;
    else await producer.writable();
  }
  const { code } = await consumer.exited;
  assert.equal(code, 0, consumer.stderr);
  assert.equal(consumer.stdout, 'all there\n');
});

test('JavaScript takes what a producer in C adds', { skip: noCompiler }, async () => {
  using consumer = await RingConsumer.open(nextName());
  await using producer = new TestProcess(peer, ['produce', path, '0', `${COUNT}`]);
  for (let i = 0; i < COUNT; ) {
    const record = consumer.shift();
    if (record) assert.equal(record.toString(), recordOf(i++));
    else assert.ok(await consumer.readable());
  }
  assert.equal((await producer.exited).code, 0, producer.stderr);
});

test('producers in both languages write at the same time, each in order', {
  skip: noCompiler,
}, async () => {
  using consumer = await RingConsumer.open(nextName());
  using producer = await RingProducer.open({ name });
  const firsts = [0, 1_000_000, 2_000_000];
  const peers = firsts.map((first) => new TestProcess(peer, ['produce', path, `${first}`, '5000']));
  const own = async () => {
    for (let i = 3_000_000; i < 3_005_000; ) {
      if (producer.push(recordOf(i))) i++;
      else await producer.writable();
    }
  };
  const written = own();
  const expected = [...firsts, 3_000_000];
  for (let seen = 0; seen < 20_000; ) {
    const record = consumer.shift();
    if (!record) {
      await consumer.readable();
      continue;
    }
    const number = Number.parseInt(record.toString(), 10);
    assert.equal(record.toString(), recordOf(number));
    assert.equal(number, expected[Math.floor(number / 1_000_000)]!++);
    seen++;
  }
  await written;
  for (const one of peers) assert.equal((await one.exited).code, 0, one.stderr);
  assert.equal(producer.counts.reclaimed, 0);
});

test('each language takes the lock over from a producer of the other that was killed', {
  skip: noCompiler,
}, async () => {
  using consumer = await RingConsumer.open(nextName());
  using producer = await RingProducer.open({ name });
  await using dead = new TestProcess(peer, ['hold', path]);
  await eventually(() => dead.stdout.includes('writing'), { what: 'the peer' });
  assert.equal(producer.push(recordOf(0)), false);
  dead.kill('SIGKILL');
  await dead.exited;
  assert.equal(producer.push(recordOf(0)), true);
  assert.equal(producer.counts.reclaimed, 1);
  assert.equal(String(consumer.shift()), recordOf(0));

  await using ended = startScript(
    `const ring = await shm.RingProducer.open({ name: process.argv[1] });
    ring.begin();
    ring.append(Buffer.from('half'));
    process.kill(process.pid, 'SIGKILL');`,
    [name],
  );
  assert.equal((await ended.exited).signal, 'SIGKILL', ended.stderr);
  await using next = new TestProcess(peer, ['produce', path, '1', '1']);
  assert.equal((await next.exited).code, 0, next.stderr);
  assert.equal(String(consumer.shift()), recordOf(1));
});

test('a C participant counts among the 63 producers and the one consumer', {
  skip: noCompiler,
}, async () => {
  using consumer = await RingConsumer.open(nextName());
  await using second = new TestProcess(peer, ['consume', path, '1']);
  assert.equal((await second.exited).code, 70);
  assert.match(second.stderr, /busy/i);
  assert.equal(consumer.shift(), false);
});
