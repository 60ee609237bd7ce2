export interface WaitOptions {
  /** The condition in words, for the error: `the queue is open`. */
  readonly what: string;
  /** In milliseconds; 120 s by default, which a loaded machine may need. */
  readonly timeout?: number;
  /** The least pause between two checks, in milliseconds; 10 by default. */
  readonly interval?: number;
}

/** The longest pause after a check that took long, in milliseconds. */
const LONGEST_PAUSE = 1500;

/**
 * Waits for a condition instead of sleeping: calls `condition` until it returns something truthy,
 * and returns that. An error of `condition` counts as "not yet".
 * @throws Error naming what did not happen, with the last error of `condition`.
 */
export async function eventually<T>(
  condition: () => T | Promise<T>,
  { what, timeout = 120_000, interval = 10 }: WaitOptions,
): Promise<NonNullable<T>> {
  const deadline = performance.now() + timeout;
  let cause: unknown;
  do {
    const began = performance.now();
    try {
      const value = await condition();
      if (value) return value;
      cause = undefined;
    } catch (error) {
      cause = error;
    }
    // A check that starts programs must not be most of the load, and slow down what it waits for.
    await sleep(Math.max(interval, Math.min(performance.now() - began, LONGEST_PAUSE)));
  } while (performance.now() < deadline);
  throw new Error(`not within ${timeout} ms: ${what}`, cause === undefined ? {} : { cause });
}

/**
 * Proves an absence: checks a condition during `duration` milliseconds, at least twice.
 * @throws Error as soon as the condition is false, or with the error of `condition`.
 */
export async function staysTrueFor(
  condition: () => unknown,
  duration: number,
  { what, interval = 10 }: Pick<WaitOptions, 'what' | 'interval'>,
): Promise<void> {
  const start = performance.now();
  for (let last = false; ; ) {
    const passed = Math.round(performance.now() - start);
    if (!(await condition())) throw new Error(`no longer true after ${passed} ms: ${what}`);
    if (last) return;
    await sleep(interval);
    last = performance.now() - start >= duration;
  }
}

/**
 * Runs `action` after `ms` milliseconds, for a test that waits for its effect: the wait has begun
 * by then, or nothing is lost if it has not.
 */
export function later(action: () => void, ms = 20): void {
  setTimeout(action, ms);
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
