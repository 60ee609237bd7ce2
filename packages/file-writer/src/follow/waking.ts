import { pause } from '@sidekit/core';

/** Pauses that a call ends early; a call in between shortens the next one. */
export class Waking {
  #pending = false;
  #current: AbortController | undefined;

  wake(): void {
    this.#pending = true;
    this.#current?.abort();
  }

  /** Waits `ms` milliseconds. @returns true if `wake` ended it early, or was called before. */
  async pause(ms: number, signal: AbortSignal): Promise<boolean> {
    if (!this.#pending) {
      const current = new AbortController();
      const abort = () => current.abort();
      this.#current = current;
      // Not AbortSignal.any: a thousand files would leave as many signals a second behind.
      signal.addEventListener('abort', abort, { once: true });
      if (!signal.aborted) await pause(ms, current.signal);
      signal.removeEventListener('abort', abort);
      this.#current = undefined;
    }
    const woken = this.#pending;
    this.#pending = false;
    return woken;
  }
}
