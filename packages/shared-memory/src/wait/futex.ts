import type { Native } from '../native/native.ts';
import type { Mapping } from '../segment/mapping.ts';
import { inSlot } from './slots.ts';

export interface WaitOptions {
  /** Ends the wait with `aborted`. */
  readonly signal?: AbortSignal | undefined;
  /** In milliseconds, after which the wait ends with `timed-out`; none by default. */
  readonly timeout?: number | undefined;
  /**
   * Called every second while the word keeps its value; true ends the wait with `woken`.
   * For what a waker that was killed could not announce.
   */
  readonly recheck?: () => boolean;
}

/**
 * `woken`: the word changed, or somebody woke this waiter; check again. `closed`: the memory was
 * closed meanwhile.
 */
export type WaitResult = 'woken' | 'timed-out' | 'aborted' | 'closed';

/** The longest time of a timer, in milliseconds; a longer timeout is checked between slices. */
export const LONGEST_TIMER = 2 ** 31 - 1;

const EVERYBODY = 0x7fffffff;

/** A 32-bit word of mapped memory that processes wait for (futex(2), without the private flag). */
export class FutexWord {
  readonly #native: Native;
  readonly #mapping: Mapping;
  readonly #words: Int32Array;
  readonly #offset: number;
  readonly #waiting = new Set<(result: WaitResult) => void>();

  /** @param offset in bytes, a multiple of four below the length of the mapping. */
  constructor(native: Native, mapping: Mapping, offset: number) {
    this.#native = native;
    this.#mapping = mapping;
    this.#words = new Int32Array(mapping.buffer, offset, 1);
    this.#offset = offset;
  }

  /** Wakes up to `count` waiters of all processes. @returns how many. */
  wake(count = EVERYBODY): number {
    return this.#native.futexWake(this.#mapping.address + this.#offset, count);
  }

  /** Waits while the word holds `expected`, in a thread, without blocking the event loop. */
  wait(expected: number, options: WaitOptions = {}): Promise<WaitResult> {
    const { signal, timeout = Number.POSITIVE_INFINITY, recheck } = options;
    const deadline = performance.now() + timeout;
    return new Promise((resolve, reject) => {
      let done = false;
      const end = (result: WaitResult) => {
        done = true;
        clearTimeout(timer);
        this.#waiting.delete(end);
        signal?.removeEventListener('abort', aborted);
        resolve(result);
      };
      const aborted = () => {
        end('aborted');
        this.wake();
      };
      // Among many waiters the time is over before this one has a thread.
      const timer =
        timeout <= LONGEST_TIMER ? setTimeout(end, Math.max(0, timeout), 'timed-out') : undefined;
      this.#waiting.add(end);
      signal?.addEventListener('abort', aborted, { once: true });
      const run = async () => {
        for (;;) {
          if (done) return;
          if (signal?.aborted) return end('aborted');
          if (Atomics.load(this.#words, 0) !== expected || recheck?.()) return end('woken');
          const left = deadline - performance.now();
          if (left <= 0) return end('timed-out');
          // What `aborted` and `close` woke does not count.
          if ((await this.#slice(expected, left, () => done)) && !done) return end('woken');
        }
      };
      run().catch(reject);
    });
  }

  /**
   * Ends every wait with `result` and gives the threads back. For waiters elsewhere it is a
   * wake-up without a reason, which futex(2) allows.
   */
  close(result: WaitResult): void {
    for (const end of [...this.#waiting]) end(result);
    this.wake();
  }

  /** Waits in a thread for one slice. @returns whether it was woken. */
  #slice(expected: number, limit: number, isDone: () => boolean): Promise<boolean> {
    let interrupted = false;
    const wait = async (milliseconds: number) => {
      if (isDone() || this.#mapping.closed) return false;
      this.#mapping.enter();
      try {
        const address = this.#mapping.address + this.#offset;
        const value = await this.#native.futexWait(address, expected, milliseconds);
        return value === 0 && !interrupted;
      } finally {
        this.#mapping.leave();
      }
    };
    return inSlot(limit, wait, () => {
      interrupted = true;
      this.wake();
    });
  }
}
