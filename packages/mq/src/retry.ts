import { errorText, fullJitter, type Log, pause, throttle } from '@sidekit/core';

export interface RetryOptions {
  /** What fails, for the log: `the sink`. */
  readonly what: string;
  /** Ends the tries; without it they go on for ever. */
  readonly stopping?: AbortSignal | undefined;
  readonly log: Log;
  readonly onFailure?: (reason: string) => void;
}

const PAUSE = { base: 100, cap: 10_000 };

/**
 * Tries until it works, with growing pauses; a fault that lasts is a line of log a while.
 * Returns undefined where `stopping` ended it. Errors marked `final` are thrown.
 */
export async function untilDone<T>(
  work: () => T | Promise<T>,
  { what, stopping, log, onFailure }: RetryOptions,
): Promise<T | undefined> {
  let say: (() => void) | undefined;
  let text = '';
  for (let attempt = 0; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (error instanceof FinalError) throw error.cause;
      text = errorText(error);
      say ??= throttle(5000, (suppressed) =>
        log.warn(`${what} failed, trying again`, { error: text, suppressed }),
      );
      say();
      onFailure?.(text);
    }
    if (!(await pause(fullJitter(attempt, PAUSE), stopping))) return undefined;
  }
}

/** Wraps what trying again cannot mend. */
export class FinalError extends Error {
  constructor(cause: Error) {
    super(cause.message, { cause });
  }
}
