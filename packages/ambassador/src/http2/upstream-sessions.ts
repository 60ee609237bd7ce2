import type { TLSSocket } from 'node:tls';
import type { Target, UpstreamResources } from '../upstream/target.ts';
import type { UpstreamStream } from '../upstream/upstream-stream.ts';
import { ConnectTimeout, type EndpointLimits, type Waiter } from '../upstream/waiter.ts';
import { UpstreamSession } from './upstream-session.ts';
import { Http2UpstreamStream } from './upstream-stream.ts';

/** Holds the HTTP/2 sessions of an endpoint: as few as the upstream's limit on streams allows. */
export class UpstreamSessions {
  readonly #target: Target;
  readonly #limits: EndpointLimits;
  readonly #resources: UpstreamResources;
  readonly #all = new Set<UpstreamSession>();
  readonly #queue: Waiter[] = [];
  /** Notes whether the endpoint can be reached. */
  readonly #onReachable: (reachable: boolean) => void;
  #closed = false;

  constructor(
    target: Target,
    limits: EndpointLimits,
    resources: UpstreamResources,
    onReachable: (reachable: boolean) => void,
  ) {
    this.#target = target;
    this.#limits = limits;
    this.#resources = resources;
    this.#onReachable = onReachable;
  }

  get size(): number {
    return this.#all.size;
  }

  get idle(): number {
    let count = 0;
    for (const session of this.#all) if (session.streams === 0) count++;
    return count;
  }

  get waiting(): number {
    return this.#queue.length;
  }

  /** Opens a stream on a session that has room. */
  take(): UpstreamStream | undefined {
    const { now } = this.#resources.clock;
    for (const session of this.#all)
      if (session.hasRoom && now - session.openedAt < this.#limits.maxLifetime)
        return new Http2UpstreamStream(session);
    return undefined;
  }

  /** Takes a connection whose upstream chose HTTP/2. */
  adopt(socket: TLSSocket): void {
    this.#add(socket);
  }

  /** Waits for a stream. Returns false if the queue is full. */
  connect(waiter: Waiter): boolean {
    const stream = this.take();
    if (stream !== undefined) {
      queueMicrotask(() => waiter.onConnection(stream));
      return true;
    }
    if (this.#queue.length >= Math.max(1, this.#limits.maxPending)) return false;
    this.#queue.push(waiter);
    this.#open();
    return true;
  }

  cancel(waiter: Waiter): void {
    const at = this.#queue.indexOf(waiter);
    if (at !== -1) this.#queue.splice(at, 1);
  }

  onOpen(): void {
    this.#onReachable(true);
    this.#serve();
  }

  onRoom(session: UpstreamSession): void {
    if (session.streams === 0 && this.#closed) session.close();
    else if (this.#queue.length > 0) queueMicrotask(() => this.#serve());
  }

  onClosed(session: UpstreamSession, error: Error): void {
    this.#all.delete(session);
    if (!session.opened) {
      this.#onReachable(false);
      for (const waiter of this.#queue.splice(0)) waiter.onConnectFailed(error);
    } else if (this.#queue.length > 0) this.#open();
  }

  check(now: number): void {
    const { connectTimeout, idleTimeout, maxLifetime } = this.#limits;
    for (const session of this.#all) {
      const age = now - session.openedAt;
      if (!session.opened) {
        if (age > connectTimeout) session.destroy(new ConnectTimeout('no connection in time'));
      } else if (
        session.streams === 0 &&
        (now - session.idleSince >= idleTimeout || age >= maxLifetime)
      )
        session.close();
    }
  }

  /** Closes each session when its last stream has ended. */
  close(): void {
    this.#closed = true;
    for (const session of this.#all)
      if (!session.opened && this.#queue.length === 0) session.destroy();
      else if (session.streams === 0) session.close();
  }

  #serve() {
    while (this.#queue.length > 0) {
      const stream = this.take();
      if (stream === undefined) {
        this.#open();
        return;
      }
      this.#queue.shift()!.onConnection(stream);
    }
  }

  /** Opens a session, one at a time, and none while the upstream allows no streams at all. */
  #open() {
    for (const session of this.#all) if (!session.opened || session.allowsNone) return;
    if (this.#all.size >= this.#limits.maxConnections) return;
    this.#add(undefined);
  }

  #add(connected: TLSSocket | undefined) {
    this.#all.add(
      new UpstreamSession(this.#target, this.#limits, this, this.#resources, connected),
    );
  }
}
