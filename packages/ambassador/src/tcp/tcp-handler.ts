import type net from 'node:net';
import tls from 'node:tls';
import type { Counter, Gauge, Log } from '@sidekit/core';
import type { Flow, MemoryBudget } from '../memory/memory-budget.ts';
import type { ReadBufferPool } from '../memory/read-buffer.ts';
import { startReading, stopReading } from '../memory/reading.ts';
import { receive } from '../memory/socket-reading.ts';
import { WaitingBytes } from '../memory/waiting-bytes.ts';
import { writeAndRelease } from '../memory/write-and-release.ts';
import type { Handler } from '../server/listener.ts';
import type { Clock, Watched } from '../time/clock.ts';
import type { Cluster } from '../upstream/cluster.ts';
import type { Endpoint } from '../upstream/endpoint.ts';
import { connect } from './connect.ts';
import { WarmConnections } from './warm-connections.ts';

export interface TcpOptions {
  readonly name: string;
  readonly cluster: Cluster;
  readonly clock: Clock;
  readonly memory: MemoryBudget;
  readonly pool: ReadBufferPool;
  readonly log: Log;
  readonly connectTimeout: number;
  readonly idleTimeout: number;
  /** Connections to the upstream that are opened in advance. */
  readonly warm: number;
  readonly metrics: {
    readonly active: Gauge;
    readonly failures: Counter;
    readonly received: Counter;
    readonly sent: Counter;
  };
}

/** Connects each client to an upstream, with half-close and back-pressure in both directions. */
export class TcpHandler implements Handler {
  #options: TcpOptions;
  #warm: WarmConnections;
  readonly #splices = new Set<Splice>();

  constructor(options: TcpOptions) {
    this.#options = options;
    this.#warm = warmConnections(options);
  }

  get connections(): number {
    return this.#splices.size;
  }

  /** Serves new connections by `options`; open ones stay as they are. */
  update(options: TcpOptions): void {
    this.close();
    this.#options = options;
    this.#warm = warmConnections(options);
  }

  accept(client: net.Socket): void {
    const splice = new Splice(client, this.#options, this.#warm, () =>
      this.#splices.delete(splice),
    );
    this.#splices.add(splice);
    splice.start();
  }

  drain(): void {}

  /** Does nothing: only the two peers know whether a connection is idle. */
  closeIdle(): void {}

  destroy(): void {
    for (const splice of this.#splices) splice.destroy();
  }

  close(): void {
    this.#warm.close();
    this.#options.cluster.close();
  }
}

function warmConnections({ cluster, clock, pool, warm }: TcpOptions): WarmConnections {
  return new WarmConnections(cluster, clock, pool, warm);
}

interface Pump {
  readonly from: net.Socket;
  /** Whether the other side cannot take more now. */
  blocked: boolean;
  readonly waiting: WaitingBytes;
}

class Splice implements Flow, Watched {
  place = -1;
  readonly #client: net.Socket;
  readonly #options: TcpOptions;
  readonly #warm: WarmConnections;
  readonly #done: () => void;
  #upstream: net.Socket | undefined;
  #endpoint: Endpoint | undefined;
  #tries = 0;
  #startedAt: number;
  #lastActivity: number;
  #open = false;
  #closed = false;
  #held = false;
  /** The directions of an open splice. */
  #pumps: Pump[] = [];

  constructor(client: net.Socket, options: TcpOptions, warm: WarmConnections, done: () => void) {
    this.#client = client;
    this.#options = options;
    this.#warm = warm;
    this.#done = done;
    this.#startedAt = this.#lastActivity = options.clock.now;
  }

  start(): void {
    const client = this.#client;
    client.on('close', () => this.#close());
    this.#options.metrics.active.inc();
    this.#options.clock.watch(this);
    this.#connect(undefined);
  }

  destroy(): void {
    this.#client.destroy();
    this.#upstream?.destroy();
  }

  check(now: number): void {
    const { connectTimeout, idleTimeout } = this.#options;
    if (!this.#open && now - this.#startedAt > connectTimeout)
      this.#upstream?.destroy(new Error('no connection in time'));
    else if (this.#open && now - this.#lastActivity > idleTimeout) this.destroy();
  }

  #connect(except: Endpoint | undefined) {
    const ready = this.#tries === 0 ? this.#warm.take() : undefined;
    this.#tries++;
    this.#startedAt = this.#options.clock.now;
    const endpoint = ready?.endpoint ?? this.#options.cluster.pick(except);
    if (endpoint === undefined) {
      this.#reject('no upstream is healthy');
      return;
    }
    this.#endpoint = endpoint;
    endpoint.pending++;
    const upstream = ready?.socket ?? connect(endpoint, this.#options.pool);
    this.#upstream = upstream;
    let problem: Error | undefined;
    upstream.on('error', (error) => {
      problem = error;
    });
    upstream.once('close', () => {
      endpoint.pending--;
      if (this.#open) this.#close();
      else if (!this.#closed) this.#failed(endpoint, problem);
    });
    if (ready) this.#splice(upstream);
    else
      upstream.once('secure' in endpoint.target ? 'secureConnect' : 'connect', () =>
        this.#splice(upstream),
      );
  }

  #failed(endpoint: Endpoint, problem: Error | undefined) {
    const { cluster, metrics } = this.#options;
    metrics.failures.inc();
    cluster.recordOutcome(endpoint, false);
    if (this.#tries < Math.max(cluster.endpoints.length, 2)) this.#connect(endpoint);
    else this.#reject(problem?.message ?? 'closed');
  }

  #reject(reason: string) {
    this.#options.log.warn('tcp connection failed', {
      event: 'tcp_connect_failed',
      listener: this.#options.name,
      endpoint: this.#endpoint?.name,
      reason,
    });
    // A reset, not an orderly end: the client must not take it for a complete response.
    if (this.#client instanceof tls.TLSSocket) this.#client.destroy();
    else this.#client.resetAndDestroy();
  }

  #splice(upstream: net.Socket) {
    if (this.#closed) {
      upstream.destroy();
      return;
    }
    this.#open = true;
    this.#lastActivity = this.#options.clock.now;
    if (this.#endpoint) this.#options.cluster.recordOutcome(this.#endpoint, true);
    const { metrics, memory } = this.#options;
    this.#pumps = [
      this.#pump(this.#client, upstream, metrics.received),
      this.#pump(upstream, this.#client, metrics.sent),
    ];
    memory.join(this);
  }

  #pump(from: net.Socket, to: net.Socket, count: Counter): Pump {
    const { clock, memory } = this.#options;
    const pump: Pump = { from, blocked: false, waiting: new WaitingBytes(memory) };
    receive(from, (read) => {
      const { length } = read.bytes;
      count.inc(length);
      this.#lastActivity = clock.now;
      const piece = read.take(0, length);
      if (!writeAndRelease(to, piece)) {
        pump.blocked = true;
        if (!piece.counted) pump.waiting.set(to.writableLength);
      }
      if (pump.blocked || this.#held) stopReading(from);
    });
    to.on('drain', () => {
      this.#lastActivity = clock.now;
      pump.blocked = false;
      pump.waiting.set(0);
      if (!this.#held) startReading(from);
    });
    // Each direction ends on its own.
    from.on('end', () => to.end());
    from.resume();
    return pump;
  }

  holdReading(): void {
    this.#held = true;
    for (const { from } of this.#pumps) stopReading(from);
  }

  continueReading(): void {
    this.#held = false;
    for (const { from, blocked } of this.#pumps) if (!blocked) startReading(from);
  }

  #close() {
    if (this.#closed) return;
    this.#closed = true;
    this.#options.clock.unwatch(this);
    this.#options.memory.leave(this);
    for (const { waiting } of this.#pumps) waiting.set(0);
    this.#options.metrics.active.dec();
    this.#client.destroy();
    this.#upstream?.destroy();
    this.#done();
  }
}
