import type { HeadLimits } from './response-reader.ts';
import type { UpstreamStream } from './upstream-stream.ts';

/** Waits for a connection to an endpoint. */
export interface Waiter {
  /** Whether only HTTP/1.1 will do: an upgrade needs it. */
  readonly http1: boolean;
  onConnection(stream: UpstreamStream): void;
  onConnectFailed(error: Error): void;
}

export interface EndpointLimits extends HeadLimits {
  /** Concurrent connections. */
  readonly maxConnections: number;
  /** Requests that may wait for a connection. */
  readonly maxPending: number;
  /** An idle connection older than this is not used again, in milliseconds. */
  readonly idleTimeout: number;
  /** A connection older than this is not used again, in milliseconds. */
  readonly maxLifetime: number;
  readonly connectTimeout: number;
}

/** A connect that took too long. */
export class ConnectTimeout extends Error {}
