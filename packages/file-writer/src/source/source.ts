import type { Content } from '../content.ts';

export interface PollRequest {
  /** Aborts at the end of the process and of the time for one look. */
  readonly signal: AbortSignal;
  /** Bring the content even if it has not changed: what was published is gone. */
  readonly fresh: boolean;
}

/** Where content comes from. */
export interface Source {
  /**
   * Looks whether there is something new.
   * @returns undefined where nothing has changed since the last published content.
   * @throws {Failure} saying what is wrong and what to do.
   */
  poll(request: PollRequest): Promise<Content | undefined>;
}
