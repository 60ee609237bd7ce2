import { ExpectedError } from '@sidekit/core';

/** Why one try to bring a file failed: one sentence with its remedy, and a word for the metric. */
export class Failure extends ExpectedError {
  /** The value of the label `reason`: `http_status`, `too_large`, `disk_full`. */
  readonly reason: string;
  /** How long the other side asked to be left alone, in milliseconds. */
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
