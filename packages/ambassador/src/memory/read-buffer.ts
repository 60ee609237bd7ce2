import { freeBytes } from '@sidekit/core';
import type { MemoryBudget } from './memory-budget.ts';

/** The size of a read buffer, in bytes. */
export const READ_SIZE: number = 64 * 1024;
/** Read buffers are allocated in slabs of this many, which the allocator maps and unmaps as one. */
const SLAB = 16;

/** Bytes that a connection read and lends to the writer of the other side. */
export interface LentBytes {
  readonly bytes: Buffer;
  /** Keeps the bytes after the call, until `release`. */
  retain(): void;
  release(): void;
}

/** Lends the bytes of a piece that a socket allocated. */
export class OwnBytes implements LentBytes {
  readonly bytes: Buffer;
  #references = 1;

  /** Starts with one reference, that of the reader. */
  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  retain(): void {
    this.#references++;
  }

  release(): void {
    if (--this.#references === 0) freeBytes(this.bytes);
  }
}

/** A buffer of the pool; its reader holds the first reference. */
export class ReadBuffer implements LentBytes {
  readonly bytes: Buffer;
  readonly slab: Slab;
  references = 0;
  readonly #pool: ReadBufferPool;

  constructor(bytes: Buffer, slab: Slab, pool: ReadBufferPool) {
    this.bytes = bytes;
    this.slab = slab;
    this.#pool = pool;
  }

  retain(): void {
    this.references++;
  }

  release(): void {
    if (--this.references === 0) this.#pool.give(this);
  }
}

/** The buffers of one allocation. Its memory is freed by the garbage collector, never at once: a
 * socket may still point into a buffer that it does not read into. */
interface Slab {
  free: number;
}

/** Hands out read buffers, counts those in use in the budget, and frees slabs without any. */
export class ReadBufferPool {
  readonly #budget: MemoryBudget;
  readonly #free: ReadBuffer[] = [];

  constructor(budget: MemoryBudget) {
    this.#budget = budget;
  }

  /** Whether another buffer is within the budget. */
  get available(): boolean {
    return !this.#budget.held;
  }

  /** Takes a buffer with one reference. */
  take(): ReadBuffer {
    if (this.#free.length === 0) this.#allocate();
    const buffer = this.#free.pop()!;
    buffer.slab.free--;
    buffer.references = 1;
    this.#budget.count(READ_SIZE);
    return buffer;
  }

  give(buffer: ReadBuffer): void {
    const { slab } = buffer;
    slab.free++;
    this.#free.push(buffer);
    // One slab stays for the next response.
    if (slab.free === SLAB && this.#free.length > SLAB) this.#remove(slab);
    this.#budget.count(-READ_SIZE);
  }

  #allocate() {
    const slab: Slab = { free: SLAB };
    const memory = new ArrayBuffer(SLAB * READ_SIZE);
    for (let i = 0; i < SLAB; i++) {
      const bytes = Buffer.from(memory, i * READ_SIZE, READ_SIZE);
      this.#free.push(new ReadBuffer(bytes, slab, this));
    }
  }

  #remove(slab: Slab) {
    const rest = this.#free.filter((buffer) => buffer.slab !== slab);
    this.#free.splice(0, this.#free.length, ...rest);
  }
}
