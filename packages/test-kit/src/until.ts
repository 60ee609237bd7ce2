export interface UntilOptions {
  /** What is waited for, for the error: `the queue is open`. */
  readonly what: string;
  /** In milliseconds; 10 s by default. */
  readonly timeout?: number;
  /** Between two looks, in milliseconds; 10 by default. */
  readonly interval?: number;
}

/**
 * Waits for a condition instead of sleeping: looks until `look` returns something truthy, and
 * returns that. An error of `look` counts as "not yet".
 * @throws Error naming what did not come, with the last error of `look`.
 */
export async function until<T>(
  look: () => T | Promise<T>,
  { what, timeout = 10_000, interval = 10 }: UntilOptions,
): Promise<NonNullable<T>> {
  const deadline = performance.now() + timeout;
  let cause: unknown;
  do {
    try {
      const value = await look();
      if (value) return value;
      cause = undefined;
    } catch (error) {
      cause = error;
    }
    await new Promise((resolve) => setTimeout(resolve, interval));
  } while (performance.now() < deadline);
  throw new Error(`not within ${timeout} ms: ${what}`, cause === undefined ? {} : { cause });
}
