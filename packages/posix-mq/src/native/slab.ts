import { loadNative, type Native } from './native.ts';

/**
 * Memory that messages are received into and sent from at any offset, without a view or a copy
 * for each, for loops over many messages. Its address is fixed while it exists, since the bytes
 * are outside the garbage-collected heap.
 */
export class Slab {
  readonly bytes: Buffer<ArrayBuffer>;
  /** The address of the first byte, below 2^53: user space ends at 2^57, in practice at 2^47. */
  readonly address: number;

  constructor(size: number, native: Native) {
    // Do not use Buffer's shared pool.
    this.bytes = Buffer.from(new ArrayBuffer(size));
    this.address = native.addressOf(this.bytes);
    if (!Number.isSafeInteger(this.address)) throw new Error('an address above 2^53');
  }

  get length(): number {
    return this.bytes.length;
  }
}

/** Allocates `size` bytes for `sendFrom` and `receiveInto` of any queue. */
export async function allocateSlab(size: number): Promise<Slab> {
  return new Slab(size, await loadNative('(none)'));
}

/** Reports a place outside a slab. */
export function outsideSlab(slab: Slab): RangeError {
  return new RangeError(`outside the slab of ${slab.length} B`);
}
