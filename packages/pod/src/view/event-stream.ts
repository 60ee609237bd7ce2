import type { IncomingMessage, ServerResponse } from 'node:http';

/** A client that has not read this much, in bytes, is disconnected; it reconnects by itself. */
const MAX_PENDING = 32 * 1024 * 1024;
/** A comment in this interval, in milliseconds, notices a client that is gone. */
const KEEP_ALIVE = 15_000;

/** A response of server-sent events (HTML Living Standard, section 9.2). */
export class EventStream {
  readonly #response: ServerResponse;
  readonly #closers: (() => void)[] = [];
  #id = 0;

  constructor(request: IncomingMessage, response: ServerResponse) {
    this.#response = response;
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write('retry: 500\n\n');
    const timer = setInterval(() => response.write(':\n\n'), KEEP_ALIVE);
    this.onClose(() => clearInterval(timer));
    request.once('close', () => {
      for (const close of this.#closers.splice(0)) close();
    });
  }

  /** Calls `close` when the client is gone. */
  onClose(close: () => void): void {
    this.#closers.push(close);
  }

  send(message: unknown): void {
    if (this.#response.destroyed) return;
    this.#response.write(`id: ${++this.#id}\ndata: ${JSON.stringify(message)}\n\n`);
    if (this.#response.writableLength > MAX_PENDING) this.#response.destroy();
  }
}
