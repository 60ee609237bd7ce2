import type { Clock } from './clock.ts';
import type { Observer } from './observe/observer.ts';
import type { RateLimit } from './rate-limit.ts';
import type { RetryBudget } from './retry-budget.ts';
import type { Cluster } from './upstream/cluster.ts';

/** In milliseconds; `total` 0 means none. */
export interface Timeouts {
  /** For a client to send a whole request head. */
  readonly headers: number;
  /** Of a client's connection between two requests. */
  readonly keepAlive: number;
  /** From the request's end to the response's head. */
  readonly response: number;
  /** Without any octet moving. */
  readonly streamIdle: number;
  /** For a free connection. */
  readonly queue: number;
  readonly total: number;
}

/** What an http listener works with; a reload replaces it as a whole. */
export interface Runtime {
  readonly name: string;
  readonly clock: Clock;
  readonly cluster: Cluster;
  readonly timeouts: Timeouts;
  readonly retry: { readonly connectFor: number };
  readonly budget: RetryBudget;
  readonly rateLimit: RateLimit | undefined;
  readonly maxBody: number;
  readonly observer: Observer;
  readonly hostHeader: string | undefined;
  /** Whether the forwarding fields of a peer are believed. */
  readonly trusts: (address: string) => boolean;
  /** Whether the fast lane is used at all. */
  readonly fastLane: boolean;
}
