import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { eventually, propertyParameters } from '@sidekit/test-kit';
import fc from 'fast-check';
import { RingConsumer, RingProducer, Segment, SharedMemoryError, unlinkSegment } from '../index.ts';
import { HEADER, MAGIC, MIN_CAPACITY, VERSION, Word } from './layout.ts';

/** A ring whose segment a faulty peer has mapped too. */
async function open() {
  const name = `/sidekit-hostile-${process.pid}-${serial++}`;
  const producer = await RingProducer.open({ name, create: true, capacity: MIN_CAPACITY });
  const consumer = await RingConsumer.open({ name });
  const segment = await Segment.open({ name });
  const words = new Int32Array(segment.buffer);
  opened.push(producer, consumer, segment);
  return { producer, consumer, words };
}

const opened: { close(): void; readonly name: string }[] = [];
let serial = 0;

afterEach(() => {
  for (const ring of opened.splice(0)) {
    ring.close();
    unlinkSegment(ring.name);
  }
});

const isCorrupt = (error: unknown) =>
  error instanceof SharedMemoryError && error.code === 'EBADMSG';

test('a length that leads out of the ring is one counted error, and the ring works on', async () => {
  for (const length of [-1, 0x7fffffff, MIN_CAPACITY, 13, 9, 5]) {
    const { producer, consumer, words } = await open();
    producer.push('abcd');
    producer.push('');
    producer.push('');
    words[HEADER / 4] =
      length === 5 ? 0x80000000 | 4 : length === 9 ? 20 : length === 13 ? 17 : length;
    assert.throws(() => consumer.shift(), isCorrupt);
    assert.deepEqual(consumer.counts, { corruptions: 1, dropped: 16 });
    assert.equal(consumer.shift(), false);
    assert.equal(producer.push('after'), true);
    assert.deepEqual(consumer.shift(), Buffer.from('after'));
  }
});

test('an impossible tail or head is an error on both sides until the consumer has repaired it', async () => {
  for (const [word, value] of [
    [Word.tail, 3],
    [Word.tail, -4],
    [Word.tail, MIN_CAPACITY * 4],
    [Word.head, 64],
    [Word.head, 1],
  ] as const) {
    const { producer, consumer, words } = await open();
    words[word] = value;
    assert.throws(() => producer.push('x'), isCorrupt);
    assert.equal(producer.counts.corruptions, 1);
    // A foreign head is seen by producers alone: the consumer keeps its own.
    if (word === Word.tail) assert.throws(() => consumer.shift(), isCorrupt);
    else {
      consumer.close();
      const next = await RingConsumer.open({ name: producer.name });
      opened.push(next);
      assert.throws(() => next.shift(), isCorrupt);
      assert.equal(producer.push('y'), true);
      assert.deepEqual(next.shift(), Buffer.from('y'));
      continue;
    }
    assert.equal(producer.push('y'), true);
    assert.deepEqual(consumer.shift(), Buffer.from('y'));
  }
});

test('a lock word that names nobody is taken over', async () => {
  for (const token of [-1, 0x7fffffff, 2, 5 << 24, (5 << 24) | 9]) {
    const { producer, consumer, words } = await open();
    words[Word.lock] = token;
    assert.equal(producer.push('x'), true);
    assert.equal(producer.counts.reclaimed, 1);
    assert.deepEqual(consumer.shift(), Buffer.from('x'));
  }
});

test('a repair that has to wait for the lock is counted once, and made later', async () => {
  const { producer, consumer, words } = await open();
  producer.push('x');
  words[HEADER / 4] = -1;
  producer.begin();
  for (let i = 0; i < 3; i++) assert.throws(() => consumer.shift(), isCorrupt);
  assert.equal(consumer.counts.corruptions, 1);
  const readable = consumer.readable();
  producer.commit();
  assert.equal(await readable, true);
  assert.throws(() => consumer.shift(), isCorrupt);
  assert.deepEqual(consumer.counts, { corruptions: 1, dropped: 8 });
  producer.push('y');
  assert.deepEqual(consumer.shift(), Buffer.from('y'));
});

test('whatever a peer writes at whatever time, every call ends and stays within the ring', async () => {
  const indexes = [
    ...[Word.tail, Word.head, Word.dataEvent, Word.spaceEvent, Word.spaceWanted, Word.lock],
    ...[Word.lockEvent, Word.generations, Word.generations + 1],
  ];
  const words = fc.oneof(
    fc.constantFrom(...indexes),
    fc.integer({ min: 0, max: 40 }).map((i) => HEADER / 4 + i),
    fc.integer({ min: 0, max: (HEADER + MIN_CAPACITY) / 4 - 1 }),
  );
  const values = fc.oneof(fc.integer(), fc.integer({ min: -64, max: 64 }));
  const action = fc.oneof(
    fc.record({ kind: fc.constant('write' as const), index: words, value: values }),
    fc.record({ kind: fc.constant('push' as const), length: fc.integer({ min: 0, max: 300 }) }),
    fc.record({ kind: fc.constant('shift' as const) }),
    fc.record({ kind: fc.constant('wait' as const) }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(action, { maxLength: 60 }), async (actions) => {
      const ring = await open();
      const ignoring = (call: () => unknown) => {
        try {
          return call();
        } catch (error) {
          if (!isCorrupt(error)) throw error;
          return undefined;
        }
      };
      for (const one of actions) {
        if (one.kind === 'write') ring.words[one.index] = one.value;
        if (one.kind === 'push') ignoring(() => ring.producer.push(Buffer.alloc(one.length)));
        if (one.kind === 'shift') ignoring(() => ring.consumer.shift());
        if (one.kind === 'wait') {
          const soon = AbortSignal.timeout(1);
          await Promise.all([ring.consumer.readable(soon), ring.producer.writable(soon)]);
        }
      }
      // Once nobody writes garbage any more, a new consumer brings the ring back to work.
      ring.words.set([MAGIC, VERSION, HEADER, MIN_CAPACITY]);
      ring.words[Word.generations] = (ring.words[Word.lock] as number) & 0xffffff;
      ring.consumer.close();
      const consumer = await RingConsumer.open({ name: ring.producer.name });
      opened.push(consumer);
      let rounds = 0;
      while (ignoring(() => consumer.shift()) !== false) assert.ok(++rounds < MIN_CAPACITY);
      ignoring(() => ring.producer.push('x'));
      await eventually(
        () => {
          while (ignoring(() => consumer.shift()));
          if (!ignoring(() => ring.producer.push('end'))) return false;
          const record = consumer.shift();
          return record && record.toString() === 'end';
        },
        { what: 'a record' },
      );
      for (const one of opened.splice(0)) {
        one.close();
        unlinkSegment(one.name);
      }
    }),
    propertyParameters(60),
  );
});
