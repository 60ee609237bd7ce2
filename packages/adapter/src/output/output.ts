import type { Encoding } from './encoding.ts';
import type { Segment } from './segment.ts';

/** The result of a delivery that need not be retried. */
export type Outcome =
  | {
      readonly accepted: true;
      /** The number of records that the receiver rejected, and its reason. */
      readonly rejected?: number;
      readonly warning?: string;
    }
  | {
      /** The records themselves are refused: retrying them unchanged is useless. */
      readonly accepted: false;
      readonly reason: string;
      /** They are refused for their size: fewer at a time may be accepted. */
      readonly tooLarge: boolean;
    };

export const ACCEPTED: Outcome = { accepted: true };

/** A failure after which the records are retried. */
export class RetryError extends Error {
  /** The pause that the receiver asked for, in milliseconds. */
  readonly after: number | undefined;

  constructor(message: string, after?: number, options?: ErrorOptions) {
    super(message, options);
    this.after = after;
  }
}

/** A destination of records. */
export interface Output {
  /** Its name in logs, labels and the state: `stdout`, `file:/x`, `otlp:http://…`. */
  readonly name: string;
  readonly encoding: Encoding;
  /**
   * Delivers a segment. Resolving acknowledges or refuses it; rejecting means that it is retried,
   * as the same object, unless `signal` aborted.
   */
  deliver(segment: Segment, signal: AbortSignal): Promise<Outcome>;
  close?(): Promise<void>;
}
