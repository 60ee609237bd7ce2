import type { LentBytes } from './lent-bytes.ts';

/** Keeps lent bytes for writes whose callbacks a closed response may never call. */
export class RetainedBytes {
  readonly #all = new Map<() => void, LentBytes>();

  /**
   * Retains; returns the callback of the write.
   * @param isClosed tells whether the response closed before: then its bytes may be on their way.
   */
  retain(lent: LentBytes, isClosed: () => boolean = () => false): () => void {
    lent.retain();
    const done = () => {
      if (!this.#all.delete(done)) return;
      if (isClosed()) lent.abandon();
      else lent.release();
    };
    this.#all.set(done, lent);
    return done;
  }

  /**
   * Gives everything up that is still kept. A connection may be writing from it even so: node:http2
   * still sends the frames of a stream that was reset.
   */
  abandonAll(): void {
    for (const lent of this.#all.values()) lent.abandon();
    this.#all.clear();
  }
}
