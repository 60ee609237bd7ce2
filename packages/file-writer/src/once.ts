import { formatDuration, UnavailableError } from '@sidekit/core';
import type { Follower } from './follower.ts';

/**
 * Brings every file once. @throws {UnavailableError} (exit code 69) naming those that did not
 * come within `timeout` milliseconds, unless content of an earlier run is good enough.
 */
export async function runOnce(
  followers: readonly Follower[],
  timeout: number,
  stopping: AbortSignal,
): Promise<void> {
  const signal = AbortSignal.any([stopping, AbortSignal.timeout(timeout)]);
  const done = await Promise.all(followers.map((follower) => follower.once(signal)));
  if (stopping.aborted) throw new UnavailableError('stopped before every file was written');
  const missing = followers.filter((follower, i) => !done[i] && !follower.hasContent);
  if (missing.length === 0) return;
  const lines = missing.map(({ target, failure }) => `${target}: ${failure || 'not in time'}`);
  throw new UnavailableError(`not written within ${formatDuration(timeout)}: ${lines.join('; ')}`);
}
