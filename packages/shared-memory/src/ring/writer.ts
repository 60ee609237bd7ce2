import { copyRecord } from './copy.ts';
import { arm, signal } from './event.ts';
import { largestRecord, plausible, RECORD_HEADER, recordSize, Word } from './layout.ts';
import type { RingLock } from './lock.ts';
import type { Words } from './words.ts';

/** The data of a ring, mapped twice in a row: every record is in one piece. */
export interface RingData {
  /** Twice `capacity`. */
  readonly bytes: Uint8Array;
  /** The same memory. */
  readonly words: Int32Array;
  readonly capacity: number;
}

/**
 * The writing side. Records are copied behind the tail under the lock, and one store of the tail
 * publishes all of them: a writer that is killed leaves no part of a record.
 */
export class RingWriter {
  /** How often head and tail contradicted each other. */
  corruptions = 0;
  readonly #words: Words;
  readonly #data: RingData;
  readonly #lock: RingLock;
  readonly #mask: number;
  #tail = 0;
  #next = 0;
  #free = 0;

  constructor(words: Words, data: RingData, lock: RingLock) {
    this.#words = words;
    this.#data = data;
    this.#lock = lock;
    this.#mask = data.capacity - 1;
  }

  /** Takes the lock. `busy`: another writer holds it; `corrupt`: a peer broke head or tail. */
  begin(): 'begun' | 'busy' | 'corrupt' {
    if (!this.#lock.tryLock()) return 'busy';
    this.#tail = this.#words.load(Word.tail);
    this.#next = this.#tail;
    if (this.#measure()) return 'begun';
    this.#lock.unlock();
    this.corruptions++;
    return 'corrupt';
  }

  /** Copies a record in; it is published by `commit`. @returns false if there is no space. */
  append(source: Uint8Array, start: number, end: number): boolean {
    const length = end - start;
    const size = recordSize(length);
    if (size > this.#free && !(this.#measure() && size <= this.#free)) return false;
    const at = this.#next & this.#mask;
    this.#data.words[at >> 2] = length;
    copyRecord(source, start, end, this.#data, at + RECORD_HEADER);
    this.#next = (this.#next + size) | 0;
    this.#free -= size;
    return true;
  }

  /** Publishes what was appended, and unlocks. */
  commit(): void {
    const published = this.#next !== this.#tail;
    if (published) this.#words.store(Word.tail, this.#next);
    this.#lock.unlock();
    if (published) signal(this.#words, Word.dataEvent);
  }

  fits(length: number): boolean {
    return length <= largestRecord(this.#data.capacity);
  }

  /** @returns the value of `spaceEvent` to wait for, or undefined if a record of `length` fits. */
  armSpace(length: number): number | undefined {
    const size = recordSize(length);
    const wanted = this.#words.load(Word.spaceWanted);
    // If another producer writes it just now, this one is woken early or by an empty ring.
    if (wanted >>> 0 < size) this.#words.compareExchange(Word.spaceWanted, wanted, size);
    const expected = arm(this.#words, Word.spaceEvent);
    return this.hasSpace(length) ? undefined : expected;
  }

  /** Whether a record of `length` bytes fits, or the next `begin` finds the ring corrupt. */
  hasSpace(length: number): boolean {
    const head = this.#words.load(Word.head);
    const tail = this.#words.load(Word.tail);
    const { capacity } = this.#data;
    const used = (tail - head) >>> 0;
    // The two loads are not one step: a tail that is newer than the head only seems fuller.
    return used > capacity || capacity - used >= recordSize(length);
  }

  /** Reads how much space there is now. @returns whether head and tail are plausible. */
  #measure(): boolean {
    const head = this.#words.load(Word.head);
    const { capacity } = this.#data;
    if (!plausible(head, this.#next, capacity)) return false;
    this.#free = capacity - ((this.#next - head) >>> 0);
    return true;
  }
}
