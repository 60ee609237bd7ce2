import { UpstreamSessions } from '../http2/upstream-sessions.ts';
import type { Clock } from '../time/clock.ts';
import {
  type ConnectionOwner,
  type Target,
  UpstreamConnection,
  type UpstreamResources,
} from './connection.ts';
import type { UpstreamStream } from './upstream-stream.ts';
import { ConnectTimeout, type EndpointLimits, type Waiter } from './waiter.ts';

/** One address of an upstream, with its connection pool and its health. */
export class Endpoint implements ConnectionOwner {
  readonly name: string;
  readonly target: Target;
  /** Requests in progress. */
  pending = 0;
  /** The result of active checks. */
  healthy = true;
  /** The end of a passive ejection. */
  ejectedUntil = 0;
  ejections = 0;
  consecutiveFailures = 0;
  /** Time since when every connect has failed; 0 while they succeed. */
  failingSince = 0;
  readonly #limits: EndpointLimits;
  readonly #clock: Clock;
  readonly #resources: UpstreamResources;
  readonly #idle: UpstreamConnection[] = [];
  readonly #all = new Set<UpstreamConnection>();
  readonly #connecting = new Map<UpstreamConnection, Waiter>();
  readonly #queue: Waiter[] = [];
  /** The sessions, if the upstream speaks HTTP/2. */
  readonly #http2: UpstreamSessions | undefined;
  #closed = false;

  constructor(name: string, target: Target, limits: EndpointLimits, resources: UpstreamResources) {
    this.name = name;
    this.target = target;
    this.#limits = limits;
    this.#resources = resources;
    this.#clock = resources.clock;
    this.#clock.watch(this);
    if ('http2' in target)
      this.#http2 = new UpstreamSessions(target, limits, resources, (reachable) => {
        this.failingSince = reachable ? 0 : this.failingSince || this.#clock.now;
      });
  }

  get connections(): number {
    return this.#all.size + (this.#http2?.size ?? 0);
  }

  get idleConnections(): number {
    return this.#idle.length + (this.#http2?.idle ?? 0);
  }

  get waiting(): number {
    return this.#queue.length + (this.#http2?.waiting ?? 0);
  }

  /** Takes the idle connection that was used last. */
  take(): UpstreamStream | undefined {
    if (this.#http2) return this.#http2.take();
    const { now } = this.#clock;
    for (;;) {
      const connection = this.#idle.pop();
      if (connection === undefined) return undefined;
      if (connection.socket.writable && !this.#isStale(connection, now)) return connection;
      connection.destroy();
    }
  }

  /** Connects, or queues if all connections are busy. Returns false if the queue is full. */
  connect(waiter: Waiter): boolean {
    if (this.#http2) return this.#http2.connect(waiter);
    if (this.#all.size >= this.#limits.maxConnections) {
      if (this.#queue.length >= this.#limits.maxPending) return false;
      this.#queue.push(waiter);
      return true;
    }
    const connection = new UpstreamConnection(this.target, this, this.#limits, this.#resources);
    this.#all.add(connection);
    this.#connecting.set(connection, waiter);
    return true;
  }

  /** Removes a waiter, and closes the connection that was being opened for it. */
  cancel(waiter: Waiter): void {
    this.#http2?.cancel(waiter);
    const at = this.#queue.indexOf(waiter);
    if (at !== -1) this.#queue.splice(at, 1);
    for (const [connection, other] of this.#connecting)
      if (other === waiter) {
        this.#connecting.delete(connection);
        connection.destroy();
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
    if (this.#closed || this.#isStale(connection, now)) {
      connection.destroy();
      return;
    }
    const waiter = this.#queue.shift();
    if (waiter) {
      // Not within the call that ends the previous request.
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
    this.#http2?.check(now);
    for (const connection of this.#connecting.keys()) {
      if (now - connection.openedAt > this.#limits.connectTimeout)
        connection.socket.destroy(new ConnectTimeout(`no connection to ${this.name} in time`));
    }
    for (let i = 0; i < this.#idle.length; ) {
      if (this.#isStale(this.#idle[i]!, now)) this.#idle.splice(i, 1)[0]!.destroy();
      else i++;
    }
  }

  /** Whether an idle connection has been idle or open for too long. */
  #isStale({ idleSince, idleLimit, openedAt }: UpstreamConnection, now: number): boolean {
    return (
      now - idleSince >= Math.min(this.#limits.idleTimeout, idleLimit) ||
      now - openedAt >= this.#limits.maxLifetime
    );
  }

  /** Closes idle connections at once, and the others when they become idle. */
  close(): void {
    this.#closed = true;
    this.#clock.unwatch(this);
    this.#http2?.close();
    for (const connection of this.#idle.splice(0)) connection.destroy();
  }
}
