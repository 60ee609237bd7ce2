import { ExpectedError, pause } from '@sidekit/core/tool';
import { HostPathError } from '../volumes/host-path.ts';

/** The first and the longest pause between two tries, in milliseconds (kubelet: exponentialBackOff). */
const FIRST = 500;
const LONGEST = 122_000;

/**
 * Sets volumes up, and tries again with growing pauses until it works, as the kubelet does: a
 * hostPath may appear, a full disk be emptied.
 * @returns false if `signal` was aborted first.
 * @throws {ExpectedError} if that cannot work on this machine, whatever happens.
 */
export async function keepTrying(
  setUp: () => Promise<void> | void,
  { onFailure, signal }: { onFailure: (error: unknown) => void; signal: AbortSignal },
): Promise<boolean> {
  for (let wait = FIRST; !signal.aborted; wait = Math.min(2 * wait, LONGEST)) {
    try {
      await setUp();
      return true;
    } catch (error) {
      if (error instanceof ExpectedError && !(error instanceof HostPathError)) throw error;
      onFailure(error);
      await pause(wait, signal);
    }
  }
  return false;
}
