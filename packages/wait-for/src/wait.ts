import { ExpectedError, formatDuration, pause } from '@sidekit/core';
import type { Options } from './options.ts';
import type { Target } from './target.ts';

/**
 * Tries a target once. @returns undefined if it is there, else the reason, as a clause.
 * @throws {ExpectedError} if that could not be determined: neither there nor gone.
 */
export type Check = (
  target: Target,
  options: Options,
  signal: AbortSignal,
) => Promise<string | undefined>;

/** The result of a wait; if it did not succeed, the reason for each missing target. */
export interface Outcome {
  readonly succeeded: boolean;
  readonly elapsed: number;
  readonly missing: readonly { readonly target: Target; readonly reason: string }[];
}

/** The time without a change after which what is missing is reported again, in milliseconds. */
const REMINDER = 10_000;

/**
 * Tries all targets in parallel until all, or with `any` one, are there (with `not`: gone). A
 * target that was there once counts as there. `say` gets each change of reason.
 */
export async function waitFor(
  targets: readonly Target[],
  options: Options,
  check: Check,
  stop: AbortSignal,
  say: (line: string) => void,
): Promise<Outcome> {
  const start = performance.now();
  const reasons = new Map<Target, string>(targets.map((target) => [target, 'not tried yet']));
  const finished = new AbortController();
  const { timeout } = options;
  const timer =
    timeout > 0 && !options.once ? setTimeout(() => finished.abort(), timeout) : undefined;
  const end = AbortSignal.any([stop, finished.signal]);
  await Promise.all(
    targets.map(async (target) => {
      let said = Number.NEGATIVE_INFINITY;
      for (let tries = 0; !end.aborted; tries++) {
        const before = reasons.get(target);
        const reason = await tryOnce(target, options, check, end);
        const elapsed = performance.now() - start;
        if (reason === undefined) {
          reasons.delete(target);
          say(
            `${target.text}: ${options.not ? 'gone' : 'there'} after ${formatDuration(Math.round(elapsed))}`,
          );
          if (options.any) finished.abort();
          return;
        }
        if (end.aborted && before !== 'not tried yet') return;
        reasons.set(target, reason);
        if (reason !== before || elapsed - said >= REMINDER) {
          said = elapsed;
          say(`waiting for ${target.text}${options.not ? ' to go' : ''}: ${reason}`);
        }
        if (options.once || !(await pause(pauseAfter(tries, options), end))) return;
      }
    }),
  );
  clearTimeout(timer);
  const there = targets.length - reasons.size;
  return {
    succeeded: options.any ? there > 0 : reasons.size === 0,
    elapsed: performance.now() - start,
    missing: [...reasons].map(([target, reason]) => ({ target, reason })),
  };
}

/** Returns the pause after a try by its number, from 0. */
function pauseAfter(tries: number, { interval, maxInterval = interval }: Options): number {
  return Math.min(maxInterval, interval * 2 ** Math.min(tries, 30));
}

async function tryOnce(
  target: Target,
  options: Options,
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
