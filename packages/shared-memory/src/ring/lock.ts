import { arm, signal } from './event.ts';
import { SLOTS, Word } from './layout.ts';
import type { Words } from './words.ts';

/** Tells whether a participant is alive, by a lock that the kernel releases when it ends. */
export interface Life {
  isAlive(slot: number): boolean;
}

const GENERATION = 0xff_ffff;
/** Tries before the lock counts as held: its holder copies records meanwhile. */
const TRIES = 64;

/** The value of the lock while a participant has it: its slot and the generation of the slot. */
export function tokenOf(slot: number, generation: number): number {
  return (slot << 24) | generation;
}

/** The generation after `generation`: 24 bits, never 0, so that no token is 0. */
export function nextGeneration(generation: number): number {
  return ((generation & GENERATION) % GENERATION) + 1;
}

/**
 * The lock of those who write. A holder that was killed never unlocks: its token then names a
 * slot whose kernel lock is free, or that has a new generation, and the next one takes over.
 * Nothing is to be repaired: what the dead holder wrote lies behind the tail, where nobody reads.
 */
export class RingLock {
  /** How often the lock was taken over from a dead holder. */
  reclaimed = 0;
  readonly #words: Words;
  readonly #token: number;
  readonly #life: Life;
  readonly #tries: number;

  constructor(words: Words, token: number, life: Life, tries = TRIES) {
    this.#tries = tries;
    this.#words = words;
    this.#token = token;
    this.#life = life;
  }

  /** @returns false if somebody alive holds it. */
  tryLock(): boolean {
    let seen = 0;
    for (let i = 0; i < this.#tries; i++) {
      seen = this.#words.compareExchange(Word.lock, 0, this.#token);
      if (seen === 0) return true;
    }
    if (!this.#isAbandoned(seen)) return false;
    // A dead holder's token never comes back, so that only one of several takes over.
    if (this.#words.compareExchange(Word.lock, seen, this.#token) !== seen) return false;
    this.reclaimed++;
    return true;
  }

  unlock(): void {
    // Not a plain store: whatever a faulty peer put there is not ours to release.
    this.#words.compareExchange(Word.lock, this.#token, 0);
    signal(this.#words, Word.lockEvent);
  }

  /** Whether `tryLock` would be worth a try. */
  isFree(): boolean {
    const seen = this.#words.load(Word.lock);
    return seen === 0 || this.#isAbandoned(seen);
  }

  /** @returns the value of `lockEvent` to wait for, or undefined if the lock is free. */
  arm(): number | undefined {
    const expected = arm(this.#words, Word.lockEvent);
    return this.isFree() ? undefined : expected;
  }

  #isAbandoned(token: number): boolean {
    const slot = token >>> 24;
    const generation = token & GENERATION;
    if (slot >= SLOTS || generation === 0) return true;
    if (this.#words.load(Word.generations + slot) !== generation) return true;
    return !this.#life.isAlive(slot);
  }
}
