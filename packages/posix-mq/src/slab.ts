import { loadNative, type Native } from './native.ts';

/**
 * Memory that messages are received into and sent from at any offset, without a view or a copy
 * for each: what a loop over many messages needs. Its address is fixed while it lives, as the
 * bytes are outside the garbage-collected heap.
 */
export class Slab {
  readonly bytes: Buffer<ArrayBuffer>;
  /** Of the first byte; below 2^53, as user space ends at 2^57 at most and in practice at 2^47. */
  readonly address: number;

  constructor(size: number, native: Native) {
    // Never from Buffer's shared pool.
    this.bytes = Buffer.from(new ArrayBuffer(size));
    this.address = native.addressOf(this.bytes);
    if (!Number.isSafeInteger(this.address)) throw new Error('an address above 2^53');
  }

  get length(): number {
    return this.bytes.length;
  }
}

/** Memory of `size` bytes for `sendFrom` and `receiveInto`, of any queue. */
export async function allocateSlab(size: number): Promise<Slab> {
  return new Slab(size, await loadNative('(none)'));
}

export function outsideSlab(slab: Slab): RangeError {
  return new RangeError(`outside the slab of ${slab.length} B`);
}
