import type { LentBytes } from './lent-bytes.ts';
import type { MemoryBudget } from './memory-budget.ts';

/** The size of a read buffer, in bytes. */
export const READ_SIZE: number = 64 * 1024;
/** Read buffers are allocated in slabs of this many, which the allocator maps and unmaps as one. */
const SLAB = 16;

/**
 * The buffer that all connections share for small reads. Its content is used within the call that
 * brings it.
 */
export const SHARED: Buffer = Buffer.allocUnsafeSlow(READ_SIZE);

/** A buffer of the pool; its reader holds the first reference. */
export class ReadBuffer implements LentBytes {
  readonly bytes: Buffer;
  readonly counted = true;
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

  abandon(): void {
    this.slab.retired = true;
    this.release();
  }
}

/** The buffers of one allocation. Its memory is freed by the garbage collector, never at once: a
 * socket may still point into a buffer that it does not read into. */
interface Slab {
  free: number;
  /** Whether someone may still read a buffer that was given back: none is used again. */
  retired: boolean;
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
    if (slab.retired) this.#remove(slab);
    else {
      slab.free++;
      this.#free.push(buffer);
      // One slab stays for the next response.
      if (slab.free === SLAB && this.#free.length > SLAB) this.#remove(slab);
    }
    this.#budget.count(-READ_SIZE);
  }

  #allocate() {
    const slab: Slab = { free: SLAB, retired: false };
    const memory = new ArrayBuffer(SLAB * READ_SIZE);
    for (let i = 0; i < SLAB; i++) {
      const bytes = Buffer.from(memory, i * READ_SIZE, READ_SIZE);
      this.#free.push(new ReadBuffer(bytes, slab, this));
    }
  }

  #remove(slab: Slab) {
    if (slab.free === 0) return;
    slab.free = 0;
    const rest = this.#free.filter((buffer) => buffer.slab !== slab);
    this.#free.splice(0, this.#free.length, ...rest);
  }
}
