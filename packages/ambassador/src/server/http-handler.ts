import type net from 'node:net';
import { TLSSocket } from 'node:tls';
import type { Runtime } from '../exchange/runtime.ts';
import { FastLaneConnection } from '../fast-lane/connection.ts';
import { FullLane } from '../full-lane/full-lane.ts';
import { ServerSessions } from '../http2/server-sessions.ts';
import type { Handler } from './listener.ts';
import { allRuntimes } from './route-runtimes.ts';

/** Serves the connections of an http listener: HTTP/1.1 in two lanes, and HTTP/2. */
export class HttpHandler implements Handler {
  #runtime: Runtime;
  readonly #fullLane: FullLane;
  readonly #http2: ServerSessions;
  readonly #fastLane = new Set<FastLaneConnection>();
  #draining = false;

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
    this.#fullLane = new FullLane(this);
    this.#http2 = new ServerSessions(this);
  }

  get runtime(): Runtime {
    return this.#runtime;
  }

  /** Serves the next requests by `runtime`, also those of open connections. */
  update(runtime: Runtime): void {
    const before = this.#runtime;
    this.#runtime = runtime;
    for (const { cluster } of allRuntimes(before)) cluster.close();
  }

  get draining(): boolean {
    return this.#draining;
  }

  get connections(): number {
    return this.#fastLane.size + this.#fullLane.connections + this.#http2.connections;
  }

  accept(socket: net.Socket): void {
    if (socket instanceof TLSSocket && socket.alpnProtocol === 'h2')
      this.toHttp2(socket, Buffer.alloc(0));
    else this.#fastLane.add(new FastLaneConnection(socket, this));
  }

  toFastLane(socket: net.Socket, unread: Buffer): void {
    const connection = new FastLaneConnection(socket, this);
    this.#fastLane.add(connection);
    connection.readAgain(unread);
  }

  toFullLane(socket: net.Socket, unread: Buffer, behind: boolean): void {
    this.#fullLane.accept(socket, unread, behind);
  }

  toHttp2(socket: net.Socket, unread: Buffer): void {
    this.#http2.accept(socket, unread);
  }

  onClosed(connection: FastLaneConnection): void {
    this.#fastLane.delete(connection);
  }

  drain(): void {
    this.#draining = true;
    this.#http2.drain();
  }

  closeIdle(time: number): void {
    for (const connection of this.#fastLane)
      if (connection.idle && connection.idleSince <= time) connection.destroy();
    this.#fullLane.closeIdle(time);
    this.#http2.close();
  }

  stopCalls(): void {
    for (const connection of this.#fastLane) connection.stopCall();
    this.#fullLane.stopCalls();
    this.#http2.stopCalls();
  }

  destroy(): void {
    for (const connection of this.#fastLane) connection.destroy();
    this.#fullLane.destroy();
    this.#http2.destroy();
  }

  close(): void {
    this.#fullLane.close();
    for (const { cluster } of allRuntimes(this.#runtime)) cluster.close();
  }
}
