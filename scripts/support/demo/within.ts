import { setTimeout as delay } from 'node:timers/promises';

/** The longest time until a condition holds, and the pause between two checks, in milliseconds. */
const TIMEOUT = 60_000;
const INTERVAL = 50;

/**
 * Waits for a condition; a check that fails is one that does not hold.
 * @throws Error that says what did not come, or that `signal` aborted.
 */
export async function within(
  { signal }: { readonly signal: AbortSignal },
  what: string,
  condition: () => Promise<boolean>,
): Promise<void> {
  const deadline = performance.now() + TIMEOUT;
  while (!(await condition().catch(() => false))) {
    if (signal.aborted) throw new Error('interrupted');
    if (performance.now() > deadline) throw new Error(`not within ${TIMEOUT / 1000} s: ${what}`);
    await delay(INTERVAL);
  }
}
