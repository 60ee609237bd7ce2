import type { Readable } from 'node:stream';
import type { MemoryBudget } from './memory-budget.ts';

/** Keeps one connection's share in a budget up to date. */
export class WaitingBytes {
  readonly #budget: MemoryBudget;
  #bytes = 0;

  constructor(budget: MemoryBudget) {
    this.#budget = budget;
  }

  /** Bytes that wait now. */
  set(bytes: number): void {
    const change = bytes - this.#bytes;
    if (change === 0) return;
    this.#bytes = bytes;
    this.#budget.count(change);
  }
}

/** The memory of a piece of a body that waits, besides its bytes: its objects, in bytes. */
export const PIECE = 256;

/**
 * Returns the memory of what a stream has read and nobody has taken, in bytes. A peer can send a
 * body in pieces of one byte, of which each is an object. A Node.js whose streams differ only
 * loses the number of pieces.
 */
export function unreadMemory(stream: Readable): number {
  return stream.readableLength + PIECE * unreadPieces(stream);
}

/** Returns the number of pieces that nobody has taken. */
export function unreadPieces(stream: Readable): number {
  const { _readableState: state } = stream as Readable & {
    _readableState?: { readonly buffer?: { readonly length?: number } };
  };
  return state?.buffer?.length ?? 0;
}
