import type { Clock } from '../clock.ts';
import { type ConnectionOwner, type Target, UpstreamConnection } from './connection.ts';

/** Waits for a connection to an endpoint. */
export interface Waiter {
  onConnection(connection: UpstreamConnection): void;
  onConnectFailed(error: Error): void;
}

export interface EndpointLimits {
  /** Connections at once. */
  readonly maxConnections: number;
  /** Requests that wait for a connection at once. */
  readonly maxPending: number;
  /** An idle connection older than this is not used again, in milliseconds. */
  readonly idleTimeout: number;
  /** A connection older than this is not used again, in milliseconds. */
  readonly maxLifetime: number;
  readonly connectTimeout: number;
}

/** A failure to connect in time. */
export class ConnectTimeout extends Error {}

/** One address of an upstream: its pool of connections, and what is known of its health. */
export class Endpoint implements ConnectionOwner {
  readonly name: string;
  readonly target: Target;
  /** Requests under way. */
  pending = 0;
  /** By active checks. */
  healthy = true;
  /** Passive ejection lasts until then. */
  ejectedUntil = 0;
  ejections = 0;
  consecutiveFailures = 0;
  /** Since when every connect failed; 0 while they work. */
  failingSince = 0;
  readonly #limits: EndpointLimits;
  readonly #clock: Clock;
  readonly #idle: UpstreamConnection[] = [];
  readonly #all = new Set<UpstreamConnection>();
  readonly #connecting = new Map<UpstreamConnection, Waiter>();
  readonly #queue: Waiter[] = [];
  #retired = false;

  constructor(name: string, target: Target, limits: EndpointLimits, clock: Clock) {
    this.name = name;
    this.target = target;
    this.#limits = limits;
    this.#clock = clock;
    clock.watch(this);
  }

  get connections(): number {
    return this.#all.size;
  }

  get idleConnections(): number {
    return this.#idle.length;
  }

  get waiting(): number {
    return this.#queue.length;
  }

  /** An idle connection that is still good, the one used last. */
  take(): UpstreamConnection | undefined {
    const { now } = this.#clock;
    for (;;) {
      const connection = this.#idle.pop();
      if (connection === undefined) return undefined;
      if (connection.socket.writable && !this.#isStale(connection, now)) return connection;
      connection.abandon();
    }
  }

  /** Connects, or queues where all connections are busy. False where the queue is full. */
  connect(waiter: Waiter): boolean {
    if (this.#all.size >= this.#limits.maxConnections) {
      if (this.#queue.length >= this.#limits.maxPending) return false;
      this.#queue.push(waiter);
      return true;
    }
    const connection = new UpstreamConnection(this.target, this, this.#clock);
    this.#all.add(connection);
    this.#connecting.set(connection, waiter);
    return true;
  }

  /** Nobody waits any more: an abandoned connection in the making is kept for others. */
  cancel(waiter: Waiter): void {
    const at = this.#queue.indexOf(waiter);
    if (at !== -1) this.#queue.splice(at, 1);
    for (const [connection, other] of this.#connecting)
      if (other === waiter) {
        this.#connecting.delete(connection);
        connection.abandon();
      }
  }

  onOpen(connection: UpstreamConnection): void {
    this.failingSince = 0;
    const waiter = this.#connecting.get(connection);
    this.#connecting.delete(connection);
    if (waiter) waiter.onConnection(connection);
    else this.onIdle(connection);
  }

  onIdle(connection: UpstreamConnection): void {
    const { now } = this.#clock;
    connection.idleSince = now;
    if (this.#retired || this.#isStale(connection, now)) {
      connection.abandon();
      return;
    }
    const waiter = this.#queue.shift();
    if (waiter) {
      // Not within the call that ends the request before.
      queueMicrotask(() => waiter.onConnection(connection));
      return;
    }
    this.#idle.push(connection);
  }

  onClosed(connection: UpstreamConnection, opened: boolean, error: Error | undefined): void {
    this.#all.delete(connection);
    const at = this.#idle.indexOf(connection);
    if (at !== -1) this.#idle.splice(at, 1);
    const waiter = this.#connecting.get(connection);
    this.#connecting.delete(connection);
    if (!opened && waiter) {
      this.failingSince ||= this.#clock.now;
      waiter.onConnectFailed(error ?? new Error('the connection was closed'));
    }
    if (this.#all.size < this.#limits.maxConnections) {
      const next = this.#queue.shift();
      if (next) this.connect(next);
    }
  }

  check(now: number): void {
    for (const connection of this.#connecting.keys()) {
      if (now - connection.openedAt > this.#limits.connectTimeout)
        connection.socket.destroy(new ConnectTimeout(`no connection to ${this.name} in time`));
    }
    for (let i = 0; i < this.#idle.length; ) {
      if (this.#isStale(this.#idle[i]!, now)) this.#idle.splice(i, 1)[0]!.abandon();
      else i++;
    }
  }

  /** Whether an idle connection has waited, or lived, for too long to be used again. */
  #isStale({ idleSince, openedAt }: UpstreamConnection, now: number): boolean {
    return (
      now - idleSince >= this.#limits.idleTimeout || now - openedAt >= this.#limits.maxLifetime
    );
  }

  /** Closes what is idle, and the rest as it becomes so. */
  retire(): void {
    this.#retired = true;
    this.#clock.forget(this);
    for (const connection of this.#idle.splice(0)) connection.abandon();
  }
}
