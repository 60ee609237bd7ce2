import type { Socket } from 'node:net';
import type { Runtime } from '../exchange/runtime.ts';
import { ServerSession } from './server-session.ts';

/** Holds the HTTP/2 connections of a listener. */
export class ServerSessions {
  readonly #host: { readonly runtime: Runtime; readonly draining: boolean };
  readonly #all = new Set<ServerSession>();

  constructor(host: { readonly runtime: Runtime; readonly draining: boolean }) {
    this.#host = host;
  }

  get connections(): number {
    return this.#all.size;
  }

  /** Takes a connection over; `unread` is processed first, as if it had just arrived. */
  accept(socket: Socket, unread: Buffer): void {
    const session = new ServerSession(socket, unread, this.#host, (one) => this.#all.delete(one));
    this.#all.add(session);
    if (this.#host.draining) session.drain();
  }

  drain(): void {
    for (const session of this.#all) session.drain();
  }

  /** Takes no more requests; closes each session whose last stream has ended. */
  close(): void {
    for (const session of this.#all) session.close();
  }

  stopCalls(): void {
    for (const session of this.#all) session.stopCalls();
  }

  destroy(): void {
    for (const session of this.#all) session.destroy();
  }
}
