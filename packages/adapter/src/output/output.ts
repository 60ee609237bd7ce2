import type { Payload } from './batch.ts';
import type { Encoding } from './encoding.ts';

/** What became of a payload: taken, or refused for good with the reason. */
export interface Outcome {
  readonly refused?: string;
  readonly warning?: string;
  /** Records of a payload that was taken but for these. */
  readonly rejected?: number;
}

/** A failure that may pass: the payload is tried again. */
export class RetryError extends Error {
  /** What the receiver asks for, in milliseconds. */
  readonly after: number | undefined;

  constructor(message: string, after?: number, options?: ErrorOptions) {
    super(message, options);
    this.after = after;
  }
}

/** Where records go. */
export interface Output {
  /** As in logs and labels: `stdout`, `file:/x`, `otlp:http://…`. */
  readonly name: string;
  readonly encoding: Encoding;
  /**
   * Delivers the whole payload. Resolving acknowledges it; rejecting means that it may be tried
   * again, unless `signal` aborted.
   */
  deliver(payload: Payload, count: number, signal: AbortSignal): Promise<Outcome>;
  close?(): Promise<void>;
}
