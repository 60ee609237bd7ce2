/**
 * Milliseconds, with a fraction, on a clock that never goes back (CLOCK_MONOTONIC), for measuring
 * durations; its zero means nothing. It is `performance.now()` without what that loads: 0.4 MiB.
 */
export function monotonic(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1000 + nanoseconds / 1e6;
}
