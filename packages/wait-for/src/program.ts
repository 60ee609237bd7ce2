import { constants } from 'node:os';
import { ExitCode, formatDuration, type Run as RunOf, withoutPasswords } from '@sidekit/core';
import { check, parseTarget } from '@sidekit/targets';
import type { Options, table } from './options.ts';
import { waitFor } from './wait.ts';

type Run = RunOf<typeof table.options>;

/** Waits and reports the result; the exit code is 0, 69, or 128 + the signal that is `stop`'s reason. */
export async function run(
  { values, operands }: Run,
  stop: AbortSignal,
  write: (line: string) => void,
): Promise<number> {
  const options: Options = values;
  const targets = [...operands, ...options.target].flatMap(
    (operand) => parseTarget(operand, () => {}) ?? [],
  );
  // A URL may hold a password.
  const print = (line: string) => write(withoutPasswords(line));
  const say = options.quiet ? () => {} : print;
  const start = performance.now();
  const { succeeded, elapsed, missing } = await waitFor(targets, options, check, stop, say);
  const reasons = missing.map(({ target, reason }) => `${target.text}: ${reason}`);
  if (succeeded) {
    if (options.acquire === undefined) return ExitCode.ok;
    const { acquire } = await import('./acquire.ts');
    const left = options.timeout > 0 ? Math.max(1, options.timeout - elapsed) : 0;
    const refused = await acquire(options.acquire, left, stop, say);
    if (refused === undefined && !stop.aborted) return ExitCode.ok;
    reasons.push(refused ?? 'the semaphore is given back');
  }
  const why = reasons.join('; ');
  const cause = stop.aborted
    ? `stopped by ${stop.reason}`
    : options.once
      ? `${options.not ? 'still there' : 'not there'}`
      : `timed out after ${formatDuration(Math.round(performance.now() - start))}`;
  print(`${cause}: ${why}`);
  if (!stop.aborted) return ExitCode.unavailable;
  return 128 + constants.signals[stop.reason as NodeJS.Signals];
}
