import { formatDuration, UnavailableError } from '@sidekit/core';
import type { Follower } from './follower.ts';

/**
 * Writes every file once.
 * @throws {UnavailableError} (exit code 69) naming the files that could not be written within
 * `timeout` milliseconds, unless content of an earlier run is enough, and those that a signal cut
 * short: an init container that exits with 0 lets the application start.
 */
export async function runOnce(
  followers: readonly Follower[],
  timeout: number,
  stopping: AbortSignal,
): Promise<void> {
  const signal = AbortSignal.any([stopping, AbortSignal.timeout(timeout)]);
  const done = await Promise.all(followers.map((follower) => follower.once(signal)));
  const late = followers.filter((_, i) => !done[i]);
  const missing = stopping.aborted ? late : late.filter((follower) => !follower.hasContent);
  if (missing.length === 0) return;
  const when = stopping.aborted
    ? 'stopped by a signal before these were written'
    : `not written within ${formatDuration(timeout)}`;
  const lines = missing.map(({ target, failure }) => `${target}: ${failure || 'not in time'}`);
  throw new UnavailableError(`${when}: ${lines.join('; ')}`);
}
