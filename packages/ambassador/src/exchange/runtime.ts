import type { HeaderRules } from '../http/header-rules.ts';
import type { RouteTable } from '../http/route-table.ts';
import type { MemoryBudget } from '../memory/memory-budget.ts';
import type { Observer } from '../observe/observer.ts';
import type { Clock } from '../time/clock.ts';
import type { Cluster } from '../upstream/cluster.ts';
import type { ClientRateLimit } from './client-rate-limit.ts';
import type { Sampling } from './identifiers.ts';
import type { RateLimit } from './rate-limit.ts';
import type { RetryBudget } from './retry-budget.ts';

/** Timeouts in milliseconds. */
export interface Timeouts {
  /** For a client to send a complete request head. */
  readonly headers: number;
  /** For a client's connection between two requests. */
  readonly keepAlive: number;
  /** From the end of the request to the response's head. */
  readonly response: number;
  /** Without any byte transferred. */
  readonly streamIdle: number;
  /** For a free connection. */
  readonly queue: number;
  /** For the whole exchange; 0 sets no bound. */
  readonly total: number;
}

/** Holds everything that an http listener needs; a reload replaces it as one. */
export interface Runtime {
  readonly name: string;
  readonly clock: Clock;
  readonly cluster: Cluster;
  readonly timeouts: Timeouts;
  readonly retry: { readonly connectFor: number };
  readonly retryBudget: RetryBudget;
  /** Whether any request may be served twice. */
  readonly idempotent: boolean;
  readonly memory: MemoryBudget;
  readonly rateLimit: RateLimit | undefined;
  readonly clientRateLimit: ClientRateLimit | undefined;
  /** The field that tells clients of trusted proxies apart, in lower case. */
  readonly clientRateHeader: string | undefined;
  readonly maxBody: number;
  /** The largest head, in bytes. */
  readonly maxHead: number;
  readonly maxFields: number;
  /** The allowed names of client certificates; empty if all are. */
  readonly clientNames: ReadonlySet<string>;
  readonly requestHeaders: HeaderRules | undefined;
  readonly responseHeaders: HeaderRules | undefined;
  readonly observer: Observer;
  /** Decides about spans, if any are recorded. */
  readonly sampling: Sampling | undefined;
  /** Routes to other upstreams, if there are any. */
  readonly routes: RouteTable<Runtime> | undefined;
  /** The prefix that is removed from targets; empty for none. */
  readonly stripPrefix: string;
  /** Whether gRPC-Web is translated to gRPC. */
  readonly grpcWeb: boolean;
  /** The origins whose pages may call gRPC-Web. */
  readonly grpcWebOrigins: ReadonlySet<string>;
  readonly hostHeader: string | undefined;
  /** The pseudonym of the listener in Via (RFC 9110 §7.6.3), by which it recognizes a loop. */
  readonly via: string;
  /** Whether client certificates are required and verified. */
  readonly verifiesClients: boolean;
  /** Whether the forwarding fields of a peer are believed. */
  readonly trusts: (address: string) => boolean;
  /** Whether the fast lane is used at all. */
  readonly fastLane: boolean;
}
