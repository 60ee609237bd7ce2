/** The methods that may be sent twice (RFC 9110 §9.2.2). */
const IDEMPOTENT: ReadonlySet<string> = new Set([
  'GET',
  'HEAD',
  'OPTIONS',
  'PUT',
  'DELETE',
  'TRACE',
]);

/** The most times that a request is sent again that no upstream has processed. */
export const MAX_RETRIES = 3;

export function isIdempotent(method: string): boolean {
  return IDEMPOTENT.has(method);
}

/**
 * Returns the pause before the next connect to an endpoint that refused, in milliseconds: at random
 * from 25 up to 75, 125, 225, then 250 (exponential back-off with full jitter).
 * @param tries the number of tries so far, from 1.
 */
export function connectPause(tries: number): number {
  return 25 + Math.random() * Math.min(225, 25 * 2 ** Math.min(tries, 8));
}
