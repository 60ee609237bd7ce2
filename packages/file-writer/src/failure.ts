import { ExpectedError } from '@sidekit/core';

/** The reason why a check failed: one sentence with its remedy, and a label for the metric. */
export class Failure extends ExpectedError {
  /** The value of the label `reason`: `http_status`, `too_large`, `disk_full`. */
  readonly reason: string;
  /** The pause that the server asked for (`Retry-After`), in milliseconds. */
  readonly retryAfter: number | undefined;
  /** The status of the server's answer, if that is the reason. */
  readonly status: number | undefined;

  constructor(
    reason: string,
    message: string,
    options: ErrorOptions & {
      readonly retryAfter?: number | undefined;
      readonly status?: number;
    } = {},
  ) {
    super(message, undefined, options);
    this.reason = reason;
    this.retryAfter = options.retryAfter;
    this.status = options.status;
  }
}
