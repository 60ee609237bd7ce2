import { monotonic } from './monotonic.ts';

/**
 * Lets a message through at most once an interval, so that a fault that repeats a thousand
 * times a second is one line; the next line says how many were left out.
 */
export function throttle(
  intervalMs: number,
  say: (suppressed: number) => void,
  now: () => number = monotonic,
): () => void {
  let next = Number.NEGATIVE_INFINITY;
  let suppressed = 0;
  return () => {
    const at = now();
    if (at < next) {
      suppressed++;
      return;
    }
    next = at + intervalMs;
    const count = suppressed;
    suppressed = 0;
    say(count);
  };
}
