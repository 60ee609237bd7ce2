import type { Payload } from './batch.ts';
import type { Encoding } from './encoding.ts';

/** The result of a delivery: accepted, or refused with the reason. */
export interface Outcome {
  readonly refused?: string;
  readonly warning?: string;
  /** The number of records that were rejected from an accepted payload. */
  readonly rejected?: number;
}

/** A failure after which the payload is retried. */
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
  /** Its name in logs and labels: `stdout`, `file:/x`, `otlp:http://…`. */
  readonly name: string;
  readonly encoding: Encoding;
  /**
   * Delivers a payload. Resolving acknowledges it; rejecting means that it is retried, unless
   * `signal` aborted.
   */
  deliver(payload: Payload, count: number, signal: AbortSignal): Promise<Outcome>;
  close?(): Promise<void>;
}
