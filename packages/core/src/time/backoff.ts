/** Waiting times between tries, in milliseconds. */
export interface BackoffOptions {
  readonly base: number;
  readonly cap: number;
  /** Uniform in [0, 1); Math.random by default. */
  readonly random?: () => number;
}

/**
 * The pause before try number `attempt` (from 0): uniform between 0 and the doubling bound,
 * "full jitter", so that many clients that failed together do not return together.
 */
export function fullJitter(
  attempt: number,
  { base, cap, random = Math.random }: BackoffOptions,
): number {
  return random() * Math.min(cap, base * 2 ** Math.min(attempt, 30));
}

/**
 * Reads a Retry-After header (RFC 9110 §10.2.3): seconds or an HTTP date in any of its three
 * forms (§5.6.7).
 * @returns milliseconds from `now`, at least 0; undefined where there is none to read.
 */
export function retryAfter(
  value: string | undefined,
  now: number = Date.now(),
): number | undefined {
  if (value === undefined) return undefined;
  const text = value.trim();
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1000;
  if (!/^(Mon|Tue|Wed|Thu|Fri|Sat|Sun)/.test(text)) return undefined;
  // The oldest form, of asctime(3), names no time zone: it is UTC like the others.
  const date = Date.parse(text.endsWith('GMT') ? text : `${text} GMT`);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}

/** Resolves after `ms` (at most 2^31 - 1), or at once, to false, when `signal` aborts. Never rejects. */
export function pause(ms: number, signal?: AbortSignal): Promise<boolean> {
  if (signal?.aborted) return Promise.resolve(false);
  return new Promise((resolve) => {
    const done = (full: boolean) => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', aborted);
      resolve(full);
    };
    const aborted = () => done(false);
    const timer = setTimeout(() => done(true), ms);
    signal?.addEventListener('abort', aborted, { once: true });
  });
}
