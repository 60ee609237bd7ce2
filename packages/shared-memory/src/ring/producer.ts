import { SharedMemoryError } from '../native/error.ts';
import { largestRecord, SLOTS, Word } from './layout.ts';
import type { RingOptions } from './open.ts';
import type { Instrument, Participant } from './participant.ts';
import { participate } from './participate.ts';
import { RingWriter } from './writer.ts';

const PRODUCER_SLOTS = Array.from({ length: SLOTS - 1 }, (_, i) => i + 1);

/** Counts since the ring was opened. */
export interface ProducerCounts {
  /** How often this side took the lock over from a producer that was killed while it wrote. */
  readonly reclaimed: number;
  /** How often head and tail contradicted each other: a faulty peer. */
  readonly corruptions: number;
}

/** The side of a ring that adds records; up to 63 at a time, each in order. */
export class RingProducer {
  readonly #participant: Participant;
  readonly #writer: RingWriter;
  #writing = false;
  /** Why the last `begin` or `append` refused, and for a record of which length. */
  #refused: { readonly why: 'full' | 'busy'; readonly length: number } | undefined;

  private constructor(participant: Participant) {
    this.#participant = participant;
    const { words, data, lock } = participant;
    this.#writer = new RingWriter(words, data, lock);
  }

  /** Opens, or creates, a ring. @throws {SharedMemoryError} EBUSY if it has 63 producers. */
  static async open(options: RingOptions, instrument?: Instrument): Promise<RingProducer> {
    return new RingProducer(await participate(options, PRODUCER_SLOTS, instrument));
  }

  get name(): string {
    return this.#participant.name;
  }

  /** Whether `open` created the ring, instead of finding it. */
  get created(): boolean {
    return this.#participant.created;
  }

  /** In bytes. */
  get capacity(): number {
    return this.#participant.capacity;
  }

  /** The largest record, in bytes. */
  get largest(): number {
    return largestRecord(this.#participant.capacity);
  }

  /** Bytes of records, with 4 to 7 bytes for each, that the consumer has not released. */
  get pending(): number {
    this.#participant.assertOpen('pending');
    const { words } = this.#participant;
    return (words.load(Word.tail) - words.load(Word.head)) >>> 0;
  }

  get closed(): boolean {
    return this.#participant.closed;
  }

  get counts(): ProducerCounts {
    const { corruptions } = this.#writer;
    return { reclaimed: this.#participant.lock.reclaimed, corruptions };
  }

  /**
   * Adds a record of 0 to `largest` bytes. @returns false if the ring is full, or another
   * producer is writing just now: then wait for `writable()`.
   * @throws {SharedMemoryError} EMSGSIZE if it is larger, EBADMSG if a peer broke the ring.
   */
  push(record: Uint8Array | string): boolean {
    const bytes = typeof record === 'string' ? Buffer.from(record) : record;
    this.#assertFits(bytes.length);
    if (!this.begin()) {
      this.#refused = { why: 'busy', length: bytes.length };
      return false;
    }
    try {
      return this.append(bytes);
    } finally {
      this.commit();
    }
  }

  /**
   * Begins to add many records at once: nobody sees them, and no other producer writes, until
   * `commit` publishes all of them. Call it within the same turn of the event loop.
   * @returns false if another producer is writing. @throws {SharedMemoryError} EBADMSG
   */
  begin(): boolean {
    this.#participant.assertOpen('push');
    if (this.#writing) throw new Error('begin() without the commit() before it');
    const result = this.#writer.begin();
    if (result === 'corrupt') throw corrupt(this.name, 'let its consumer repair it by reading');
    this.#writing = result === 'begun';
    if (!this.#writing) this.#refused = { why: 'busy', length: 0 };
    return this.#writing;
  }

  /**
   * Copies a record, or the part of `source` from `start` to `end`, into the ring.
   * @returns false if there is no space for it. @throws {SharedMemoryError} EMSGSIZE
   */
  append(source: Uint8Array, start = 0, end = source.length): boolean {
    if (!this.#writing) throw new Error('append() without begin()');
    if (start < 0 || end > source.length || start > end)
      throw new RangeError(`${start} to ${end} is not within ${source.length} B`);
    this.#assertFits(end - start);
    if (this.#writer.append(source, start, end)) return true;
    this.#refused = { why: 'full', length: end - start };
    return false;
  }

  /** Publishes what was appended since `begin`. */
  commit(): void {
    if (!this.#writing) throw new Error('commit() without begin()');
    this.#writing = false;
    this.#writer.commit();
  }

  /**
   * Resolves to true when what was refused last may fit now; to false if `signal` aborts or the
   * ring is closed before.
   */
  async writable(signal?: AbortSignal): Promise<boolean> {
    const { why, length } = this.#refused ?? { why: 'full', length: 0 };
    const { lock } = this.#participant;
    return this.#participant.waitFor(
      why === 'busy'
        ? { event: Word.lockEvent, isTrue: () => lock.isFree(), arm: () => lock.arm(), signal }
        : {
            event: Word.spaceEvent,
            isTrue: () => this.#writer.hasSpace(length),
            arm: () => this.#writer.armSpace(length),
            signal,
          },
    );
  }

  /** Tells this ring from another of the same name; `links` is 0 once it was unlinked. */
  identity(): { readonly inode: bigint; readonly links: number } {
    return this.#participant.identity();
  }

  /** Removes the name; whoever has the ring open continues to use it. */
  unlink(): void {
    this.#participant.unlink();
  }

  /** Closes the ring; waits end with false. What was appended without `commit` is dropped. */
  close(): void {
    if (this.#writing) this.#participant.lock.unlock();
    this.#writing = false;
    this.#participant.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #assertFits(length: number) {
    if (this.#writer.fits(length)) return;
    throw new SharedMemoryError({
      code: 'EMSGSIZE',
      syscall: 'push',
      subject: `ring ${this.name}`,
      reason: `takes records of at most ${this.largest} B, this one has ${length} B`,
      remedy: 'send less at a time, or create the ring with a larger capacity',
    });
  }
}

export function corrupt(name: string, remedy: string): SharedMemoryError {
  return new SharedMemoryError({
    code: 'EBADMSG',
    syscall: 'ring',
    subject: `ring ${name}`,
    reason: 'has contents that contradict each other: a faulty program wrote to it',
    remedy,
  });
}
