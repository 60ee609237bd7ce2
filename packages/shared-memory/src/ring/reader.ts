import { arm, signal } from './event.ts';
import { plausible, RECORD_HEADER, recordSize, Word } from './layout.ts';
import type { RingLock } from './lock.ts';
import type { Words } from './words.ts';
import type { RingData } from './writer.ts';

/**
 * The reading side: one at a time. A record that was read stays in the ring until it is
 * released; a reader that is killed before that leaves it to the next one.
 */
export class RingReader {
  /** How often a peer broke the layout; what lay in the ring then is dropped. */
  corruptions = 0;
  /** Bytes that were dropped with it. */
  dropped = 0;
  /** The place of the record that `next` found, in the data's bytes. */
  start = 0;
  end = 0;
  readonly #words: Words;
  readonly #data: RingData;
  readonly #lock: RingLock;
  readonly #mask: number;
  /** The first record that is not released; only this side writes it. */
  #head: number;
  #next: number;
  /** The tail as it was seen last. */
  #tail: number;
  /** The contents contradict each other, and a writer held the lock when they were found. */
  #broken = false;

  constructor(words: Words, data: RingData, lock: RingLock) {
    this.#words = words;
    this.#data = data;
    this.#lock = lock;
    this.#mask = data.capacity - 1;
    this.#head = words.load(Word.head);
    this.#next = this.#head;
    this.#tail = this.#head;
  }

  /** Bytes that are published and not yet released. */
  get pending(): number {
    return Math.min((this.#words.load(Word.tail) - this.#head) >>> 0, this.#data.capacity);
  }

  /** Finds the next record: `start` and `end` then tell its place. */
  next(): 'found' | 'empty' | 'corrupt' {
    if (this.#broken || (this.#next === this.#tail && !this.#refresh())) return this.#repair();
    const left = (this.#tail - this.#next) >>> 0;
    if (left === 0) return 'empty';
    const at = this.#next & this.#mask;
    // Read once: a faulty peer may change it at any time.
    const length = this.#data.words[at >> 2]! >>> 0;
    if (length > left - RECORD_HEADER || recordSize(length) > left) return this.#repair();
    this.start = at + RECORD_HEADER;
    this.end = this.start + length;
    this.#next = (this.#next + recordSize(length)) | 0;
    return 'found';
  }

  /** Gives the space of all records that were found back to the producers. */
  release(): void {
    if (this.#next === this.#head) return;
    this.#head = this.#next;
    this.#words.store(Word.head, this.#head);
    this.#signalSpace();
  }

  /** @returns the value of `dataEvent` to wait for, or undefined if there is something to read. */
  arm(): number | undefined {
    const expected = arm(this.#words, Word.dataEvent);
    return this.hasData() ? undefined : expected;
  }

  /** Whether `next` has something to do. */
  hasData(): boolean {
    if (this.#broken) return this.#lock.isFree();
    return this.#words.load(Word.tail) !== this.#next;
  }

  /** Reads the tail. @returns whether it is plausible: it never moves back. */
  #refresh(): boolean {
    const tail = this.#words.load(Word.tail);
    if (!plausible(this.#head, tail, this.#data.capacity)) return false;
    if ((tail - this.#head) >>> 0 < (this.#next - this.#head) >>> 0) return false;
    this.#tail = tail;
    return true;
  }

  /**
   * Empties a ring whose contents contradict each other, under the lock: the only time that the
   * reader writes the tail. If a writer holds the lock, a later call tries again.
   */
  #repair(): 'corrupt' {
    if (!this.#broken) this.corruptions++;
    this.#broken = !this.#lock.tryLock();
    if (this.#broken) return 'corrupt';
    const tail = this.#words.load(Word.tail);
    this.dropped += Math.min((tail - this.#head) >>> 0, this.#data.capacity);
    this.#head = tail & ~3;
    this.#next = this.#head;
    this.#tail = this.#head;
    if (tail !== this.#head) this.#words.store(Word.tail, this.#head);
    this.#words.store(Word.head, this.#head);
    this.#lock.unlock();
    this.#signalSpace();
    return 'corrupt';
  }

  /** Wakes producers once half of the ring is free, and what they need: not for every record. */
  #signalSpace() {
    if (!(this.#words.load(Word.spaceEvent) & 1)) return;
    const { capacity } = this.#data;
    const free = capacity - ((this.#tail - this.#head) >>> 0);
    const wanted = this.#words.load(Word.spaceWanted) >>> 0;
    if (free < Math.min(Math.max(wanted, capacity / 2), capacity)) return;
    this.#words.store(Word.spaceWanted, 0);
    signal(this.#words, Word.spaceEvent);
  }
}
