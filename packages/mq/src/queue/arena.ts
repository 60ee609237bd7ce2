import type { Slab } from '@sidekit/posix-mq';

/** The most memory for messages in flight, in bytes, unless one message needs more. */
const MOST = 4 * 1024 * 1024;

/** Computes the memory for messages in flight: for all that fit the queue, within a bound. */
export function arenaSize(maxmsgs: number, msgsize: number): number {
  // One byte stays free, to tell a full arena from an empty one.
  return Math.max(msgsize, Math.min(maxmsgs * msgsize, MOST)) + 1;
}

/** Memory of messages that are allocated, and freed, in the order of their sequence. */
export class Arena {
  readonly slab: Slab;
  #start = 0;
  #end = 0;

  constructor(slab: Slab) {
    this.slab = slab;
  }

  /** Allocates `length` bytes in one piece. @returns their offset, or −1 if there is no room. */
  allocate(length: number): number {
    const size = this.slab.length;
    if (this.#end >= this.#start) {
      if (size - this.#end >= length) return this.#take(this.#end, length);
      return this.#start > length ? this.#take(0, length) : -1;
    }
    return this.#start - this.#end > length ? this.#take(this.#end, length) : -1;
  }

  /** Frees everything before the oldest message, or everything if there is none. */
  freeBefore(oldest: number | undefined): void {
    this.#start = oldest ?? 0;
    if (oldest === undefined) this.#end = 0;
  }

  #take(at: number, length: number): number {
    this.#end = at + length;
    return at;
  }
}
