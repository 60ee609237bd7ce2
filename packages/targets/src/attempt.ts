import { ExpectedError } from '@sidekit/core';
import type { CheckOptions } from './options.ts';
import type { Target } from './target.ts';

/**
 * Tries a target once. @returns undefined if it is there, else the reason, as a clause.
 * @throws {ExpectedError} if that could not be determined: neither there nor gone.
 */
export type Check = (
  target: Target,
  options: CheckOptions,
  signal: AbortSignal,
) => Promise<string | undefined>;

/**
 * Tries a target once within `tryTimeout`. @returns undefined if it is there (with `not`: if it is
 * gone), else the reason. Without an answer in time, or if it cannot be determined, it is neither.
 */
export async function tryOnce(
  target: Target,
  options: CheckOptions & { readonly not: boolean },
  check: Check,
  end: AbortSignal,
): Promise<string | undefined> {
  const attempt = new AbortController();
  const abort = () => attempt.abort();
  const timer = setTimeout(abort, options.tryTimeout);
  end.addEventListener('abort', abort, { once: true });
  if (end.aborted) abort();
  // Not every check can be cancelled: a resolver that hangs is abandoned.
  const ended = new Promise<string>((resolve) => {
    const late = () => resolve('no answer in time');
    attempt.signal.addEventListener('abort', late, { once: true });
    if (attempt.signal.aborted) late();
  });
  try {
    const reason = await Promise.race([check(target, options, attempt.signal), ended]);
    if (!options.not) return reason;
    // A try that did not finish does not show that a target is gone.
    if (attempt.signal.aborted) return 'no answer in time';
    return reason === undefined ? 'still there' : undefined;
  } catch (error) {
    // A target that could not be checked is neither there nor gone.
    if (error instanceof ExpectedError) return error.message;
    throw error;
  } finally {
    clearTimeout(timer);
    end.removeEventListener('abort', abort);
  }
}
