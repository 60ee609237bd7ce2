import type net from 'node:net';
import type tls from 'node:tls';
import type { MemoryBudget } from '../memory/memory-budget.ts';
import type { ReadBufferPool } from '../memory/read-buffer.ts';
import type { Clock } from '../time/clock.ts';

/** The address and the TLS options of a connect. */
export type Target =
  | net.NetConnectOpts
  /** HTTP/2 with prior knowledge. */
  | (net.NetConnectOpts & { readonly http2: true })
  /** TLS; HTTP/2 too if ALPN offers `h2`. */
  | (tls.ConnectionOptions & { readonly secure: true });

/** Whether a target leaves the version of HTTP to the upstream. */
export function isNegotiated(target: Target): boolean {
  return (
    'secure' in target && (target.ALPNProtocols as string[] | undefined)?.includes('h2') === true
  );
}

/** Resources that all connections share. */
export interface UpstreamResources {
  readonly clock: Clock;
  readonly memory: MemoryBudget;
  readonly pool: ReadBufferPool;
}
