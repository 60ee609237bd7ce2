import type { LentBytes } from './lent-bytes.ts';

/** Keeps lent bytes for writes whose callbacks a closed response may never call. */
export class RetainedBytes {
  /** Most responses are too small to retain anything. */
  #all: Map<() => void, LentBytes> | undefined;

  /**
   * Retains; returns the callback of the write.
   * @param isClosed tells whether the response closed before: then its bytes may be on their way.
   */
  retain(lent: LentBytes, isClosed: () => boolean = () => false): () => void {
    lent.retain();
    this.#all ??= new Map();
    const all = this.#all;
    const done = () => {
      if (!all.delete(done)) return;
      if (isClosed()) lent.abandon();
      else lent.release();
    };
    all.set(done, lent);
    return done;
  }

  /**
   * Gives everything up that is still kept. A connection may be writing from it even so: node:http2
   * still sends the frames of a stream that was reset.
   */
  abandonAll(): void {
    if (this.#all === undefined) return;
    for (const lent of this.#all.values()) lent.abandon();
    this.#all.clear();
  }
}
