import type net from 'node:net';
import type { ReadBufferPool } from '../memory/read-buffer.ts';
import type { Clock, Watched } from '../time/clock.ts';
import type { Cluster } from '../upstream/cluster.ts';
import type { Endpoint } from '../upstream/endpoint.ts';
import { connect } from './connect.ts';

/** How long a connection may wait for a client, in milliseconds: servers close silent log-ins after a minute. */
const MAX_AGE = 20_000;

interface Warm {
  readonly socket: net.Socket;
  readonly endpoint: Endpoint;
  readonly since: number;
  open: boolean;
}

/** Opens connections in advance, TLS handshake included, so that clients wait for neither. */
export class WarmConnections implements Watched {
  readonly #cluster: Cluster;
  readonly #clock: Clock;
  readonly #pool: ReadBufferPool;
  readonly #wanted: number;
  readonly #warm = new Set<Warm>();
  #pauseUntil = 0;

  constructor(cluster: Cluster, clock: Clock, pool: ReadBufferPool, wanted: number) {
    this.#cluster = cluster;
    this.#clock = clock;
    this.#pool = pool;
    this.#wanted = wanted;
    if (wanted > 0) clock.watch(this);
  }

  /** Returns one that is open. */
  take(): { socket: net.Socket; endpoint: Endpoint } | undefined {
    for (const warm of this.#warm) {
      if (!warm.open) continue;
      this.#warm.delete(warm);
      if (warm.socket.writable && !warm.socket.readableEnded) {
        warm.socket.removeAllListeners('close');
        return warm;
      }
      warm.socket.destroy();
    }
    return undefined;
  }

  check(now: number): void {
    for (const warm of this.#warm) if (now - warm.since > MAX_AGE) warm.socket.destroy();
    if (now < this.#pauseUntil) return;
    while (this.#warm.size < this.#wanted) {
      const endpoint = this.#cluster.pick();
      if (endpoint === undefined) return;
      this.#open(endpoint);
    }
  }

  close(): void {
    this.#clock.unwatch(this);
    for (const warm of this.#warm) warm.socket.destroy();
    this.#warm.clear();
  }

  #open(endpoint: Endpoint) {
    const socket = connect(endpoint, this.#pool);
    const warm: Warm = { socket, endpoint, since: this.#clock.now, open: false };
    this.#warm.add(warm);
    socket.pause();
    socket.once('secure' in endpoint.target ? 'secureConnect' : 'connect', () => {
      warm.open = true;
    });
    socket.on('error', () => {
      this.#pauseUntil = this.#clock.now + 1000;
    });
    socket.once('close', () => this.#warm.delete(warm));
  }
}
