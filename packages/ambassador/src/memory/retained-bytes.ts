import type { LentBytes } from './read-buffer.ts';

/** Keeps lent bytes for writes whose callbacks a closed response may never call. */
export class RetainedBytes {
  readonly #all = new Set<() => void>();

  /** Retains; returns the callback of the write. */
  retain(lent: LentBytes): () => void {
    lent.retain();
    const release = () => {
      if (this.#all.delete(release)) lent.release();
    };
    this.#all.add(release);
    return release;
  }

  /** Releases everything that is still kept. */
  releaseAll(): void {
    for (const release of this.#all) release();
  }
}
