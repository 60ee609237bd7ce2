import { SMALL } from '../http/small.ts';
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
/** The part of it that is read into when the pool has no memory to keep more. */
export const SHARED_SMALL: Buffer = SHARED.subarray(0, SMALL);

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

  /** Whether its reader may read into it again: nobody else refers to it, or may do so. */
  get reusable(): boolean {
    return this.references === 1 && !this.slab.retired;
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

/** The buffers of one allocation. */
interface Slab {
  readonly memory: ArrayBuffer;
  readonly free: ReadBuffer[];
  /** Whether someone may still read a buffer that was given back: none is used again. */
  retired: boolean;
}

/** Hands out read buffers, counts those in use in the budget, and frees slabs without any. */
export class ReadBufferPool {
  readonly #budget: MemoryBudget;
  /** In the order of their use, so that the last ones become free when load ends. */
  readonly #slabs: Slab[] = [];
  #free = 0;

  constructor(budget: MemoryBudget) {
    this.#budget = budget;
  }

  /** Whether another buffer is within the budget. */
  get available(): boolean {
    return !this.#budget.held;
  }

  /** Bytes that are allocated at the moment, in use or not. */
  get allocated(): number {
    return this.#slabs.length * SLAB * READ_SIZE;
  }

  /** Takes a buffer with one reference. */
  take(): ReadBuffer {
    const slab = this.#slabs.find(({ free }) => free.length > 0) ?? this.#allocate();
    const buffer = slab.free.pop()!;
    this.#free--;
    buffer.references = 1;
    this.#budget.count(READ_SIZE);
    return buffer;
  }

  give(buffer: ReadBuffer): void {
    const { slab } = buffer;
    if (slab.retired) {
      // The garbage collector frees it once nobody can read it any more.
      this.#remove(slab);
      slab.free.length = 0;
    } else {
      slab.free.push(buffer);
      this.#free++;
      // Some stay for the next response.
      if (slab.free.length === SLAB && this.#free > SLAB) {
        this.#remove(slab);
        // After this call no socket reads into it: the one that gave it back has its next buffer.
        setImmediate(() => slab.memory.transfer(0));
      }
    }
    this.#budget.count(-READ_SIZE);
  }

  #allocate(): Slab {
    const memory = new ArrayBuffer(SLAB * READ_SIZE);
    const slab: Slab = { memory, free: [], retired: false };
    for (let i = SLAB - 1; i >= 0; i--)
      slab.free.push(new ReadBuffer(Buffer.from(memory, i * READ_SIZE, READ_SIZE), slab, this));
    this.#slabs.push(slab);
    this.#free += SLAB;
    return slab;
  }

  #remove(slab: Slab) {
    const at = this.#slabs.indexOf(slab);
    if (at === -1) return;
    this.#slabs.splice(at, 1);
    this.#free -= slab.free.length;
  }
}
