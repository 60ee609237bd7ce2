import { Broken, scalar } from '@sidekit/core';

/** The first and the last status of a range, which may be the same. */
export type Statuses = readonly [first: number, last: number];

/** How a target is checked; `status`, `body` and `caFile` count for http and https only. */
export interface CheckOptions {
  /** The time for one try, in milliseconds. */
  readonly tryTimeout: number;
  /** The statuses that count as there; from 200 to 399 if the list is empty. */
  readonly status: readonly Statuses[];
  /** A regular expression that the first 64 KiB of the response must match. */
  readonly body?: string | undefined;
  /** A PEM file of the authorities to trust instead of the system's. */
  readonly caFile?: string | undefined;
  /** With mq: the queue must hold at least this many messages. */
  readonly minMessages?: number | undefined;
}

/** An HTTP status or a range of them: `204`, `200-299`. */
export const statuses = scalar(
  'status or range',
  {
    type: ['string', 'integer'],
    pattern: '^[1-5][0-9]{2}(-[1-5][0-9]{2})?$',
    minimum: 100,
    maximum: 599,
  },
  (input): Statuses | Broken => {
    const [, first, last = first] = /^([1-5]\d\d)(?:-([1-5]\d\d))?$/.exec(String(input)) ?? [];
    return first === undefined || last === undefined || last < first
      ? new Broken('must be a status from 100 to 599 or a range', 'write 204 or 200-299')
      : [Number(first), Number(last)];
  },
  ([first, last]) => (first === last ? `${first}` : `${first}-${last}`),
);
