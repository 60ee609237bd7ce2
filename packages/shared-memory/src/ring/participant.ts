import { fstatSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { SharedMemoryError } from '../native/error.ts';
import { SEGMENT_DIRECTORY } from '../segment/explain.ts';
import { system } from '../segment/file.ts';
import { FutexWord } from '../wait/futex.ts';
import { HEADER, Word } from './layout.ts';
import { FileLocks } from './life.ts';
import { nextGeneration, RingLock, tokenOf } from './lock.ts';
import { closeRing, type OpenRing } from './open.ts';
import { MappedWords, type Words } from './words.ts';
import type { RingData } from './writer.ts';

/** For tests that interleave the steps of a ring. */
export interface Instrument {
  /** Wraps the words of the ring. */
  wrap(words: Words): Words;
  /** How often a held lock is tried. */
  readonly tries: number;
}

interface Awaited {
  /** The index of the event's word. */
  readonly event: number;
  /** The condition. */
  readonly isTrue: () => boolean;
  /** Announces the wait. @returns the value to wait for, or undefined if the condition is true. */
  readonly arm: () => number | undefined;
  readonly signal: AbortSignal | undefined;
}

/** One side of a ring: its memory, its slot, its lock, and waiting for an event. */
export class Participant {
  readonly name: string;
  readonly created: boolean;
  readonly capacity: number;
  readonly words: Words;
  readonly data: RingData;
  readonly lock: RingLock;
  readonly #ring: OpenRing;
  readonly #life: FileLocks;
  readonly #slot: number | undefined;
  readonly #waits = new Set<FutexWord>();

  /** @param slots to choose from. @throws {SharedMemoryError} EBUSY if others hold all of them. */
  constructor(name: string, ring: OpenRing, slots: readonly number[], instrument?: Instrument) {
    this.name = name;
    this.#ring = ring;
    this.created = ring.created;
    this.capacity = ring.capacity;
    const { native, mapping, capacity } = ring;
    const { buffer, address } = mapping;
    const mapped = new MappedWords(new Int32Array(buffer, 0, HEADER / 4), (index) =>
      native.futexWake(address + index * 4, 0x7fffffff),
    );
    this.words = instrument?.wrap(mapped) ?? mapped;
    this.data = {
      bytes: new Uint8Array(buffer, HEADER, 2 * capacity),
      words: new Int32Array(buffer, HEADER, capacity / 2),
      capacity,
    };
    this.#life = new FileLocks(native, ring.descriptor);
    const slot = slots.find((one) => this.#life.hold(one));
    this.#slot = slot;
    if (slot === undefined) {
      this.close();
      throw busy(name, slots.length);
    }
    // Only the holder of the slot's kernel lock writes its generation.
    const generation = nextGeneration(this.words.load(Word.generations + slot));
    this.words.store(Word.generations + slot, generation);
    this.lock = new RingLock(this.words, tokenOf(slot, generation), this.#life, instrument?.tries);
  }

  get closed(): boolean {
    return this.#ring.mapping.closed;
  }

  /** Resolves to true when `isTrue`; to false if `signal` aborts or the ring is closed before. */
  async waitFor({ event, isTrue, arm, signal }: Awaited): Promise<boolean> {
    if (this.closed || signal?.aborted) return false;
    if (isTrue()) return true;
    // The other side is often at work just now: one turn of the event loop is cheaper than to put
    // a thread to sleep and wake it.
    await new Promise<void>((resolve) => setImmediate(resolve));
    if (this.closed || signal?.aborted) return false;
    const expected = isTrue() ? undefined : arm();
    if (expected === undefined) return true;
    const word = new FutexWord(this.#ring.native, this.#ring.mapping, event * 4);
    this.#waits.add(word);
    try {
      return (await word.wait(expected, { signal, recheck: isTrue })) === 'woken';
    } finally {
      this.#waits.delete(word);
    }
  }

  identity(): { readonly inode: bigint; readonly links: number } {
    this.assertOpen('fstat');
    const { ino, nlink } = fstatSync(this.#ring.descriptor, { bigint: true });
    return { inode: ino, links: Number(nlink) };
  }

  unlink(): void {
    this.assertOpen('shm_unlink');
    system('shm_unlink', this.name, () => unlinkSync(join(SEGMENT_DIRECTORY, this.name)));
  }

  close(): void {
    if (this.closed) return;
    for (const word of this.#waits) word.close('closed');
    // A thread that still waits keeps the memory mapped for a moment, and so the lock.
    if (this.#slot !== undefined) this.#life.release(this.#slot);
    closeRing(this.#ring);
  }

  assertOpen(syscall: string): void {
    if (!this.closed) return;
    throw new SharedMemoryError({
      code: 'EBADF',
      syscall,
      subject: `ring ${this.name}`,
      reason: 'is closed',
      remedy: 'open it again',
    });
  }
}

function busy(name: string, slots: number): SharedMemoryError {
  return new SharedMemoryError({
    code: 'EBUSY',
    syscall: 'fcntl',
    subject: `ring ${name}`,
    reason: slots === 1 ? 'has a consumer already' : `has ${slots} producers already`,
    remedy: slots === 1 ? 'end it first: a ring has one' : 'end one of them first',
  });
}
