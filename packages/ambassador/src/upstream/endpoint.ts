import type { TLSSocket } from 'node:tls';
import { UpstreamSessions } from '../http2/upstream-sessions.ts';
import type { Clock } from '../time/clock.ts';
import { type ConnectionOwner, UpstreamConnection } from './connection.ts';
import { isNegotiated, type Target, type UpstreamResources } from './target.ts';
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
  #http2: UpstreamSessions | undefined;
  /** Whether the upstream chooses the version of HTTP, and has not yet. */
  #undecided: boolean;
  #closed = false;

  constructor(name: string, target: Target, limits: EndpointLimits, resources: UpstreamResources) {
    this.name = name;
    this.target = target;
    this.#limits = limits;
    this.#resources = resources;
    this.#clock = resources.clock;
    this.#clock.watch(this);
    this.#undecided = isNegotiated(target);
    if ('http2' in target) this.#http2 = this.#sessions();
  }

  #sessions(): UpstreamSessions {
    const sessions = new UpstreamSessions(
      this.target,
      this.#limits,
      this.#resources,
      (reachable) => {
        this.failingSince = reachable ? 0 : this.failingSince || this.#clock.now;
        if (!reachable && isNegotiated(this.target) && this.#http2 === sessions) {
          // It may have changed, so that the next connect asks again.
          this.#http2 = undefined;
          this.#undecided = true;
          sessions.close();
        }
      },
    );
    return sessions;
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

  /** Takes the idle connection that was used last. @param http1 whether only HTTP/1.1 will do. */
  take(http1: boolean): UpstreamStream | undefined {
    if (this.#http2 && !this.#needsHttp1(http1)) return this.#http2.take();
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
    const http1 = this.#needsHttp1(waiter.http1);
    if (this.#http2 && !http1) return this.#http2.connect(waiter);
    const undecided = this.#undecided && !http1;
    const busy = undecided ? this.#isDeciding : this.#all.size >= this.#limits.maxConnections;
    if (busy) {
      if (this.#queue.length >= Math.max(undecided ? 1 : 0, this.#limits.maxPending)) return false;
      this.#queue.push(waiter);
      return true;
    }
    const target = http1 ? { ...this.target, ALPNProtocols: ['http/1.1'] } : this.target;
    const connection = new UpstreamConnection(target, this, this.#limits, this.#resources);
    this.#all.add(connection);
    this.#connecting.set(connection, waiter);
    return true;
  }

  /** Whether a connection must not be left to ALPN. To `h2c` there is no other. */
  #needsHttp1(http1: boolean): boolean {
    return http1 && isNegotiated(this.target);
  }

  /** Whether a connection is being opened by which the upstream chooses. */
  get #isDeciding(): boolean {
    for (const { negotiated } of this.#connecting.keys()) if (negotiated) return true;
    return false;
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
    if (!this.#undecided || !connection.negotiated) return;
    this.#undecided = false;
    for (const other of this.#queue.splice(0)) this.connect(other);
  }

  onHttp2(connection: UpstreamConnection, socket: TLSSocket): void {
    const waiter = this.#connecting.get(connection);
    this.#connecting.delete(connection);
    this.#all.delete(connection);
    if (this.#closed || this.#http2 !== undefined) socket.destroy();
    else {
      this.#undecided = false;
      this.#http2 = this.#sessions();
      this.#http2.adopt(socket);
    }
    // Sessions take all of them: those that wait for the decision were counted by the queue.
    for (const one of [...(waiter ? [waiter] : []), ...this.#queue.splice(0)])
      if (!this.#http2?.connect(one))
        one.onConnectFailed(new Error('too many requests wait for the upstream'));
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
      const problem = error ?? new Error('the connection was closed');
      const waiting = connection.negotiated && this.#undecided ? this.#queue.splice(0) : [];
      for (const one of [waiter, ...waiting]) one.onConnectFailed(problem);
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
