import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { eventually, later } from '@sidekit/test-kit';
import {
  RingConsumer,
  type RingOptions,
  RingProducer,
  Segment,
  SharedMemoryError,
  unlinkSegment,
} from '../index.ts';
import { startScript } from '../testing/processes.ts';
import { HEADER, MIN_CAPACITY, Word } from './layout.ts';

const opened: { close(): void; readonly name: string }[] = [];
let serial = 0;

afterEach(() => {
  for (const ring of opened.splice(0)) {
    ring.close();
    unlinkSegment(ring.name);
  }
});

const newName = () => `/sidekit-ring-${process.pid}-${serial++}`;
const defaults = { create: true, capacity: MIN_CAPACITY };

async function produce(options: Partial<RingOptions> = {}) {
  const ring = await RingProducer.open({ name: newName(), ...defaults, ...options });
  opened.push(ring);
  return ring;
}

async function consume(options: Partial<RingOptions> = {}) {
  const ring = await RingConsumer.open({ name: newName(), ...defaults, ...options });
  opened.push(ring);
  return ring;
}

async function pair(options: Partial<RingOptions> = {}) {
  const producer = await produce(options);
  return { producer, consumer: await consume({ ...options, name: producer.name }) };
}

const fails = (code: string, words: RegExp) => (error: unknown) => {
  assert.ok(error instanceof SharedMemoryError, String(error));
  assert.equal(error.code, code);
  assert.match(error.message, words);
  return true;
};

test('records come out as they went in, in order, of any length', async () => {
  const { producer, consumer } = await pair();
  const lengths = [0, 1, 3, 4, 5, 95, 96, 97, 1000, 0];
  const records = lengths.map((length, i) => Buffer.alloc(length, i + 1));
  for (const record of records) assert.equal(producer.push(record), true);
  for (const record of records) assert.deepEqual(consumer.shift(), record);
  assert.equal(consumer.shift(), false);
  assert.equal(consumer.pending, 0);
});

test('the largest record fits, at every place of the ring, and one byte more is refused', async () => {
  const { producer, consumer } = await pair();
  const record = Buffer.alloc(producer.largest, 7);
  for (let i = 0; i < 10; i++) {
    assert.equal(producer.push(record), true);
    assert.equal(producer.push(''), false);
    assert.deepEqual(consumer.shift(), record);
    producer.push('x'.repeat(i * 1000));
    consumer.shift();
  }
  assert.throws(
    () => producer.push(Buffer.alloc(producer.largest + 1)),
    fails('EMSGSIZE', /65532 B/),
  );
  assert.equal(producer.push('after it'), true);
});

test('positions continue past 2^32 bytes', async () => {
  const { producer, consumer } = await pair();
  const segment = await Segment.open({ name: producer.name });
  consumer.close();
  const words = new Int32Array(segment.buffer, 0, HEADER / 4);
  const start = 2 ** 32 - 3 * 4096;
  words[Word.head] = start;
  words[Word.tail] = start;
  segment.close();
  const next = await consume({ name: producer.name });
  for (let i = 0; i < 100; i++) {
    const record = Buffer.alloc(997, i);
    assert.equal(producer.push(record), true);
    assert.deepEqual(next.shift(), record);
  }
  assert.deepEqual(next.counts, { corruptions: 0, dropped: 0 });
});

test('a full ring refuses, and writable() resolves when there is space for the record', async () => {
  const { producer, consumer } = await pair();
  const record = Buffer.alloc(1000, 1);
  let count = 0;
  while (producer.push(record)) count++;
  assert.equal(count, Math.floor(MIN_CAPACITY / 1004));
  let resolved = false;
  const writable = producer.writable().then((value) => {
    resolved = true;
    return value;
  });
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(resolved, false);
  while (consumer.shift());
  assert.equal(await writable, true);
  assert.equal(producer.push(record), true);
});

test('readable() waits for a record that comes later, and ends by signal or close', async () => {
  const { producer, consumer } = await pair();
  const readable = consumer.readable();
  later(() => producer.push('x'));
  assert.equal(await readable, true);
  assert.deepEqual(consumer.shift(), Buffer.from('x'));
  const controller = new AbortController();
  const aborted = consumer.readable(controller.signal);
  later(() => controller.abort());
  assert.equal(await aborted, false);
  const closed = consumer.readable();
  later(() => consumer.close());
  assert.equal(await closed, false);
  assert.equal(await consumer.readable(), false);
  assert.throws(() => consumer.shift(), fails('EBADF', /is closed/));
});

test('a batch is seen only when it is committed, and whole', async () => {
  const { producer, consumer } = await pair();
  const text = Buffer.from('one two three');
  assert.equal(producer.begin(), true);
  assert.equal(producer.append(text, 0, 3), true);
  assert.equal(producer.append(text, 4, 7), true);
  assert.equal(consumer.shift(), false);
  producer.commit();
  assert.deepEqual([consumer.shift(), consumer.shift(), consumer.shift()].map(String), [
    'one',
    'two',
    'false',
  ]);
  assert.throws(() => producer.commit(), /without begin/);
  assert.throws(() => producer.append(text), /without begin/);
});

test('what is not released is read again by the next consumer', async () => {
  const { producer, consumer } = await pair();
  for (const text of ['a', 'b', 'c']) producer.push(text);
  assert.equal(
    consumer.next() && consumer.bytes.toString('utf8', consumer.start, consumer.end),
    'a',
  );
  consumer.release();
  assert.equal(
    consumer.next() && consumer.bytes.toString('utf8', consumer.start, consumer.end),
    'b',
  );
  consumer.close();
  const next = await consume({ name: producer.name });
  assert.deepEqual([next.shift(), next.shift(), next.shift()].map(String), ['b', 'c', 'false']);
});

test('an iterator yields records until the ring is closed', async () => {
  const { producer, consumer } = await pair();
  const seen: string[] = [];
  for (const text of ['a', 'b']) producer.push(text);
  later(() => producer.push('end'), 10);
  for await (const record of consumer) {
    seen.push(record.toString());
    if (seen.length === 3) break;
  }
  assert.deepEqual(seen, ['a', 'b', 'end']);
});

test('a successor waits a moment for the slot of one that is just ending', async () => {
  const { producer, consumer } = await pair();
  later(() => consumer.close(), 200);
  const next = await consume({ name: producer.name });
  producer.push('a');
  assert.equal(String(next.shift()), 'a');
});

test('a ring has one consumer and 63 producers', async () => {
  const { producer, consumer } = await pair();
  const { name } = producer;
  await assert.rejects(RingConsumer.open({ name }), fails('EBUSY', /consumer already/));
  const others = await Promise.all(Array.from({ length: 62 }, () => produce({ name })));
  await assert.rejects(RingProducer.open({ name }), fails('EBUSY', /63 producers/));
  others[5]!.close();
  const again = await produce({ name });
  for (const one of [producer, ...others.slice(6), again]) assert.equal(one.push('x'), true);
  consumer.close();
  const next = await consume({ name });
  let count = 0;
  while (next.shift()) count++;
  assert.equal(count, 58);
});

test('while a producer writes another one is refused, and woken after it', async () => {
  const one = await produce();
  const other = await produce({ name: one.name });
  assert.equal(one.begin(), true);
  assert.equal(other.push('x'), false);
  let resolved = false;
  const writable = other.writable().then(() => (resolved = true));
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(resolved, false);
  one.commit();
  await writable;
  assert.equal(other.push('x'), true);
});

test('the lock of a producer that is killed while it writes is taken over, what it wrote is not there', async () => {
  const { producer, consumer } = await pair();
  await using peer = startScript(
    `const ring = await shm.RingProducer.open({ name: process.argv[1] });
    ring.begin();
    ring.append(Buffer.from('half'));
    console.log('writing');
    setInterval(() => {}, 1000);`,
    [producer.name],
  );
  await eventually(() => peer.stdout.includes('writing'), { what: 'the peer' });
  assert.equal(producer.push('complete'), false);
  const writable = producer.writable();
  peer.kill('SIGKILL');
  assert.equal(await writable, true);
  assert.equal(producer.push('complete'), true);
  assert.equal(producer.counts.reclaimed, 1);
  assert.deepEqual(consumer.shift(), Buffer.from('complete'));
  assert.equal(consumer.shift(), false);
});

test('what is no ring, or one of another version, is refused by name', async () => {
  const name = newName();
  const segment = await Segment.open({ name, create: true, size: HEADER + MIN_CAPACITY });
  opened.push(segment);
  await assert.rejects(RingConsumer.open({ name }), fails('EPROTO', /without a ring/));
  const words = new Int32Array(segment.buffer);
  words.set([0x42524b53, 2, HEADER, MIN_CAPACITY]);
  await assert.rejects(RingConsumer.open({ name }), fails('EPROTO', /version 2/));
  for (const capacity of [MIN_CAPACITY * 2, MIN_CAPACITY + 1, -1, 0]) {
    words.set([0x42524b53, 1, HEADER, capacity]);
    await assert.rejects(RingProducer.open({ name }), fails('EPROTO', /contradict/));
  }
  for (const capacity of [1000, 65_537, 2 ** 31, Number.NaN]) {
    await assert.rejects(produce({ capacity }), fails('EINVAL', /power of two/));
  }
});
