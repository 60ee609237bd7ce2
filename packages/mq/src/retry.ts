import { errorText, fullJitter, type Log, pause, throttle } from '@sidekit/core';

export interface RetryOptions {
  /** Names the operation in the log: `the sink`. */
  readonly what: string;
  /** Ends the tries; without it they never end. */
  readonly stopping?: AbortSignal | undefined;
  readonly log: Log;
  readonly onFailure?: (reason: string) => void;
}

const PAUSE = { base: 100, cap: 10_000 };

/**
 * Tries until it works, with growing pauses; a fault that lasts is logged every five seconds.
 * Returns undefined if `stopping` ended it. A `FinalError` is thrown as its cause.
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
        log.warn(`${what} failed, trying again`, {
          event: 'retrying',
          error: text,
          suppressed,
        }),
      );
      say();
      onFailure?.(text);
    }
    if (!(await pause(fullJitter(attempt, PAUSE), stopping))) return undefined;
  }
}

/** Wraps an error that another try cannot fix. */
export class FinalError extends Error {
  constructor(cause: Error) {
    super(cause.message, { cause });
  }
}
