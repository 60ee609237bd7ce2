import type * as Package from '../index.ts';
import { BATCH, Score, SEEN } from './score.ts';

/** The process of one participant of the kill test. */
export async function play(shm: typeof Package, args: readonly string[]): Promise<void> {
  const [mode = '', name = '', scores = '', role = '', most = ''] = args;
  const segment = await shm.Segment.open({ name: scores });
  const words = new Int32Array(segment.buffer, 0, SEEN / 4);
  const atLeastOnce = mode === 'at-least-once';
  if (role === 'consumer') {
    const seen = new Uint8Array(segment.buffer, SEEN);
    await consume(await shm.RingConsumer.open({ name }), words, seen, atLeastOnce, Number(most));
  } else {
    await produce(await shm.RingProducer.open({ name }), words, Number(role), atLeastOnce);
  }
}

/** The producer and the number, then up to 600 bytes that follow from them. */
function recordOf(producer: number, number: number): Buffer {
  const record = Buffer.alloc(5 + ((number * 7919) % 600), (producer + number) & 0xff);
  record[0] = producer;
  record.writeInt32LE(number, 1);
  return record;
}

async function produce(
  ring: Package.RingProducer,
  words: Int32Array,
  producer: number,
  atLeastOnce: boolean,
) {
  const progress = Score.progress + producer;
  while (!Atomics.load(words, Score.stop)) {
    const first = Atomics.load(words, progress);
    const batch = 1 + Math.floor(Math.random() * BATCH);
    // At most once: what a killed producer may have sent is not sent again.
    if (!atLeastOnce) Atomics.store(words, progress, first + batch);
    let number = first;
    while (number < first + batch) {
      if (ring.begin()) {
        while (number < first + batch && ring.append(recordOf(producer, number))) number++;
        ring.commit();
      }
      if (number < first + batch) await ring.writable();
    }
    if (atLeastOnce) Atomics.store(words, progress, number);
    if (Math.random() < 0.02) await new Promise((resolve) => setTimeout(resolve, 1));
  }
  ring.close();
}

async function consume(
  ring: Package.RingConsumer,
  words: Int32Array,
  seen: Uint8Array,
  atLeastOnce: boolean,
  most: number,
) {
  const last = [-1, -1];
  const check = (record: Buffer) => {
    const producer = record[0] ?? 0;
    const number = record.length >= 5 ? record.readInt32LE(1) : -1;
    const torn = !record.equals(recordOf(producer, number));
    const unordered = !atLeastOnce && number <= (last[producer] ?? 0);
    if (torn || unordered || number >= most) Atomics.add(words, Score.faults, 1);
    else Atomics.add(seen, producer * most + number, 1);
    last[producer] = number;
    Atomics.add(words, Score.consumed, 1);
  };
  for (let found = 0; ; ) {
    if (atLeastOnce) {
      while (ring.next()) {
        check(ring.bytes.subarray(ring.start, ring.end));
        if (++found % 16 === 0) ring.release();
      }
      ring.release();
    } else {
      for (let record = ring.shift(); record; record = ring.shift()) check(record);
    }
    if (Atomics.load(words, Score.drain) && ring.pending === 0) return ring.close();
    await ring.readable(AbortSignal.timeout(100));
  }
}
