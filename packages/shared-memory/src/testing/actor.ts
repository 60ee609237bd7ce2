import { parentPort, workerData } from 'node:worker_threads';
import { CONSUMER_SLOT, SLOTS, Word } from '../ring/layout.ts';
import { closeRing, openRing } from '../ring/open.ts';
import { Participant } from '../ring/participant.ts';
import { RingReader } from '../ring/reader.ts';
import type { Words } from '../ring/words.ts';
import { RingWriter } from '../ring/writer.ts';
import { Control, type Report, State, type Task } from './control.ts';

/**
 * The thread of one participant in the model test: it runs the real algorithms over a real ring,
 * and stops before every atomic step until the test lets it go, or kills it there.
 */
class Killed extends Error {}

const control = new Int32Array(workerData as SharedArrayBuffer);

/** Tells the test where this thread is, and waits to be let go. */
function stop(state: number, index = 0, expected = 0) {
  control[Control.index] = index;
  control[Control.expected] = expected;
  const turn = Atomics.load(control, Control.turn);
  Atomics.store(control, Control.state, state);
  Atomics.notify(control, Control.state);
  Atomics.wait(control, Control.turn, turn);
  if (Atomics.load(control, Control.kill)) throw new Killed();
}

const stepwise = (words: Words): Words => ({
  load(index) {
    stop(State.step);
    return words.load(index);
  },
  store(index, value) {
    stop(State.step);
    words.store(index, value);
  },
  compareExchange(index, expected, value) {
    stop(State.step);
    return words.compareExchange(index, expected, value);
  },
  wake(index) {
    stop(State.wake, index);
  },
});

/** The producer in the first byte, then the number of the record, then as many bytes as it says. */
function recordOf(task: Task, number: number): Uint8Array {
  const length = task.lengths[number] as number;
  const record = Buffer.alloc(Math.max(length, 4), (task.actor * 31 + number) & 0xff);
  record.writeUInt16LE(task.actor, 0);
  record.writeUInt16LE(number, 2);
  return record;
}

/** Adds records in batches until all are published; the report says which are for sure. */
function produce(participant: Participant, task: Task, report: Report) {
  const { words, data, lock } = participant;
  const writer = new RingWriter(words, data, lock);
  while (report.next < task.lengths.length) {
    const result = writer.begin();
    if (result === 'corrupt') throw new Error('head and tail contradict each other');
    if (result === 'busy') {
      const expected = lock.arm();
      if (expected !== undefined) stop(State.asleep, Word.lockEvent, expected);
      continue;
    }
    const batch: number[] = [];
    let refused: Uint8Array | undefined;
    while (batch.length < task.batch && report.next + batch.length < task.lengths.length) {
      const number = report.next + batch.length;
      const record = recordOf(task, number);
      if (!writer.append(record, 0, record.length)) {
        refused = record;
        break;
      }
      batch.push(number);
    }
    // Until the commit has ended nobody knows whether they are published.
    report.unsure.push(batch);
    report.next += batch.length;
    writer.commit();
    report.unsure.pop();
    report.published.push(...batch);
    if (!refused || batch.length > 0) continue;
    const expected = writer.armSpace(refused.length);
    if (expected !== undefined) stop(State.asleep, Word.spaceEvent, expected);
  }
}

/** Takes records until it is killed. */
function consume(participant: Participant, task: Task, report: Report) {
  const { words, data, lock } = participant;
  const reader = new RingReader(words, data, lock);
  report.readers.push([]);
  for (let found = 0; ; ) {
    const result = reader.next();
    if (result === 'corrupt') throw new Error('the contents contradict each other');
    if (result === 'found') {
      const record = Buffer.from(data.bytes.subarray(reader.start, reader.end));
      const actor = record.readUInt16LE(0);
      const number = record.readUInt16LE(2);
      const fill = (actor * 31 + number) & 0xff;
      const intact = record.subarray(4).every((byte) => byte === fill);
      report.readers.at(-1)?.push({ actor, number, length: record.length, intact });
      if (++found % task.batch === 0) reader.release();
      continue;
    }
    reader.release();
    const expected = reader.arm();
    if (expected !== undefined) stop(State.asleep, Word.dataEvent, expected);
  }
}

/** Plays one task, with a new participant after each kill. */
async function play(task: Task) {
  const report: Report = { actor: task.actor, next: 0, published: [], unsure: [], readers: [] };
  const slots = task.consumes
    ? [CONSUMER_SLOT]
    : Array.from({ length: SLOTS - 1 }, (_, i) => i + 1);
  for (;;) {
    const ring = await openRing({ name: task.name });
    let participant: Participant | undefined;
    try {
      participant = new Participant(task.name, ring, slots, { wrap: stepwise, tries: 2 });
      (task.consumes ? consume : produce)(participant, task, report);
      Atomics.store(control, Control.state, State.done);
      break;
    } catch (error) {
      if (!(error instanceof Killed)) {
        report.failure = String((error as Error).stack);
        Atomics.store(control, Control.state, State.done);
        break;
      }
    } finally {
      // As the kernel does: the descriptor and the memory go, no word changes.
      if (participant) participant.close();
      else closeRing(ring);
    }
    if (Atomics.load(control, Control.kill) === Control.forGood) {
      Atomics.store(control, Control.state, State.done);
      break;
    }
    Atomics.store(control, Control.kill, 0);
    try {
      stop(State.dead);
    } catch {
      Atomics.store(control, Control.state, State.done);
      break;
    }
    Atomics.store(control, Control.kill, 0);
  }
  Atomics.notify(control, Control.state);
  parentPort?.postMessage(report);
}

parentPort?.on('message', (task: Task) => void play(task));
