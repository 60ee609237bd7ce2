import { formatDuration, pause } from '@sidekit/core';
import { type Check, type Target, tryOnce } from '@sidekit/targets';
import type { Options } from './options.ts';

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
