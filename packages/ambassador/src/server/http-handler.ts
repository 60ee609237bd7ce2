import type net from 'node:net';
import type { Runtime } from '../exchange/runtime.ts';
import { FastLaneConnection } from '../fast-lane/connection.ts';
import { FullLane } from '../full-lane/full-lane.ts';
import type { Handler } from './listener.ts';

/** Serves the connections of an http listener, in two lanes. */
export class HttpHandler implements Handler {
  #runtime: Runtime;
  readonly #fullLane: FullLane;
  readonly #fastLane = new Set<FastLaneConnection>();
  #draining = false;

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
    this.#fullLane = new FullLane(this);
  }

  get runtime(): Runtime {
    return this.#runtime;
  }

  /** Serves the next requests by `runtime`, also those of open connections. */
  update(runtime: Runtime): void {
    const before = this.#runtime;
    this.#runtime = runtime;
    if (before.cluster !== runtime.cluster) before.cluster.close();
  }

  get draining(): boolean {
    return this.#draining;
  }

  get connections(): number {
    return this.#fastLane.size + this.#fullLane.connections;
  }

  accept(socket: net.Socket): void {
    this.#fastLane.add(new FastLaneConnection(socket, this));
  }

  toFullLane(socket: net.Socket, unread: Buffer): void {
    this.#fullLane.accept(socket, unread);
  }

  onClosed(connection: FastLaneConnection): void {
    this.#fastLane.delete(connection);
  }

  drain(): void {
    this.#draining = true;
  }

  closeIdle(time: number): void {
    for (const connection of this.#fastLane)
      if (connection.idle && connection.idleSince <= time) connection.destroy();
    this.#fullLane.closeIdle(time);
  }

  destroy(): void {
    for (const connection of this.#fastLane) connection.destroy();
    this.#fullLane.destroy();
  }

  close(): void {
    this.#fullLane.close();
    this.#runtime.cluster.close();
  }
}
