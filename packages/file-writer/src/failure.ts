import { ExpectedError } from '@sidekit/core';

/** The reason why a check failed: one sentence with its remedy, and a label for the metric. */
export class Failure extends ExpectedError {
  /** The value of the label `reason`: `http_status`, `too_large`, `disk_full`. */
  readonly reason: string;
  /** The pause that the server asked for (`Retry-After`), in milliseconds. */
  readonly retryAfter: number | undefined;

  constructor(
    reason: string,
    message: string,
    options: ErrorOptions & { readonly retryAfter?: number | undefined } = {},
  ) {
    super(message, undefined, options);
    this.reason = reason;
    this.retryAfter = options.retryAfter;
  }
}
