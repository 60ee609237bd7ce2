import type { Content } from '../content.ts';

export interface PollRequest {
  /** Aborts when the process stops or the time for one check is over. */
  readonly signal: AbortSignal;
  /** Deliver the content even if it has not changed: the published content is gone. */
  readonly fresh: boolean;
}

/** A place that content comes from. */
export interface Source {
  /**
   * Checks whether there is new content.
   * @returns undefined if nothing has changed since the last published content.
   * @throws {Failure} with the problem and its remedy.
   */
  poll(request: PollRequest): Promise<Content | undefined>;
  /** Returns what the last poll found wrong without failing, each with its remedy. */
  warnings?(): readonly string[];
  /**
   * Calls `changed` when a poll is worthwhile, until the signal aborts. Only a hint: polls at the
   * interval are the guarantee.
   */
  watch?(changed: () => void, signal: AbortSignal): Promise<void>;
}
