import { copyOut } from './copy.ts';
import { CONSUMER_SLOT, Word } from './layout.ts';
import type { RingOptions } from './open.ts';
import type { Instrument, Participant } from './participant.ts';
import { participate } from './participate.ts';
import { corrupt } from './producer.ts';
import { RingReader } from './reader.ts';

/** Counts since the ring was opened. */
export interface ConsumerCounts {
  /** How often the contents contradicted each other, and were dropped: a faulty peer. */
  readonly corruptions: number;
  /** Bytes that were dropped with it. */
  readonly dropped: number;
}

/** The side of a ring that takes records out; one at a time. */
export class RingConsumer {
  readonly #participant: Participant;
  readonly #reader: RingReader;
  readonly #bytes: Buffer;

  private constructor(participant: Participant) {
    this.#participant = participant;
    const { words, data, lock } = participant;
    this.#reader = new RingReader(words, data, lock);
    const { buffer, byteOffset, byteLength } = data.bytes;
    this.#bytes = Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength);
  }

  /** Opens, or creates, a ring. @throws {SharedMemoryError} EBUSY if it has a consumer. */
  static async open(options: RingOptions, instrument?: Instrument): Promise<RingConsumer> {
    return new RingConsumer(await participate(options, [CONSUMER_SLOT], instrument));
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

  /** Bytes of records, with 4 to 7 bytes for each, that are not yet released. */
  get pending(): number {
    this.#participant.assertOpen('pending');
    return this.#reader.pending;
  }

  get closed(): boolean {
    return this.#participant.closed;
  }

  get counts(): ConsumerCounts {
    const { corruptions, dropped } = this.#reader;
    return { corruptions, dropped };
  }

  /**
   * The memory in which `next` finds records, in one piece each. They stay as they are until
   * `release`, as far as no faulty peer writes to them.
   */
  get bytes(): Buffer {
    return this.#bytes;
  }

  /** The first byte of the record that `next` found, in `bytes`. */
  get start(): number {
    return this.#reader.start;
  }

  /** The byte behind the record that `next` found, in `bytes`. */
  get end(): number {
    return this.#reader.end;
  }

  /**
   * Takes the next record out. It is released before it is returned: a consumer that is killed
   * then has it at most once. @returns false if there is none.
   * @throws {SharedMemoryError} EBADMSG if a peer broke the ring; the next call continues.
   */
  shift(): Buffer | false {
    if (!this.next()) return false;
    const record = Buffer.from(this.#bytes.subarray(this.start, this.end));
    this.release();
    return record;
  }

  /**
   * Finds the next record without a copy: `start` and `end` tell its place in `bytes`. It stays
   * in the ring until `release`: a consumer that is killed before leaves it to the next one.
   * @returns false if there is none. @throws {SharedMemoryError} as `shift`.
   */
  next(): boolean {
    this.#participant.assertOpen('next');
    const result = this.#reader.next();
    if (result === 'corrupt') throw corrupt(this.name, 'what was in it is dropped');
    return result === 'found';
  }

  /** Copies the record that `next` found to the byte `at` of `target`, which has room for it. */
  copyTo(target: Uint8Array, at: number): void {
    copyOut(this.#participant.data, this.start, this.end, target, at);
  }

  /** Releases all records that `next` has found. */
  release(): void {
    this.#participant.assertOpen('release');
    this.#reader.release();
  }

  /** Resolves to true when there is a record; to false if `signal` aborts or the ring is closed. */
  async readable(signal?: AbortSignal): Promise<boolean> {
    return this.#participant.waitFor({
      event: Word.dataEvent,
      isTrue: () => this.#reader.hasData(),
      arm: () => this.#reader.arm(),
      signal,
    });
  }

  /** Yields records as `shift` does, until the ring is closed. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer, void, undefined> {
    while (!this.closed) {
      const record = this.shift();
      if (record !== false) yield record;
      else if (!(await this.readable())) return;
    }
  }

  /** Tells this ring from another of the same name; `links` is 0 once it was unlinked. */
  identity(): { readonly inode: bigint; readonly links: number } {
    return this.#participant.identity();
  }

  /** Removes the name; whoever has the ring open continues to use it. */
  unlink(): void {
    this.#participant.unlink();
  }

  /** Closes the ring; waits end with false. What was not released stays in it. */
  close(): void {
    this.#participant.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
