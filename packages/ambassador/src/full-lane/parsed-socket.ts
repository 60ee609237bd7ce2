import type http from 'node:http';
import type { Socket } from 'node:net';

/** The part of a parser of node:http that is used here. */
interface Parser {
  /** Called at the first byte of a message. */
  0?: (() => void) | null;
  _consumed?: boolean;
  unconsume?(): void;
  remove?(): void;
  close?(): void;
}

type Listener = (...args: unknown[]) => void;

/** The events of a socket that node:http listens to. */
const EVENTS = ['data', 'end', 'close', 'drain', 'error', 'timeout', 'pause', 'resume'] as const;

/**
 * Gives a socket to a server of node:http, and takes it back. The parser is not documented: with a
 * Node.js whose parser differs, `canBeReadAgain` is false.
 */
export class ParsedSocket {
  readonly #socket: Socket & { parser?: Parser | null };
  readonly #before: ReadonlyMap<string, readonly unknown[]>;
  /** Bytes that the socket had read at the start of the latest message. */
  #begunAt = -1;

  constructor(server: http.Server, socket: Socket) {
    this.#socket = socket;
    this.#before = new Map(EVENTS.map((event) => [event, socket.rawListeners(event)]));
    server.emit('connection', socket);
    const { parser } = this.#socket;
    if (parser && 0 in parser) parser[0] = () => (this.#begunAt = socket.bytesRead);
  }

  /** Whether a message that cannot be parsed began with the bytes that were read last. */
  get canBeReadAgain(): boolean {
    return this.#begunAt === this.#socket.bytesRead;
  }

  /** Takes the socket back, as node:http itself gives it to an upgrade. */
  release(): void {
    const socket = this.#socket;
    for (const event of EVENTS)
      for (const listener of socket.rawListeners(event))
        if (!this.#before.get(event)!.includes(listener))
          socket.removeListener(event, listener as Listener);
    const { parser } = socket;
    socket.parser = null;
    if (!parser) return;
    if (parser._consumed) parser.unconsume?.();
    parser._consumed = false;
    parser[0] = null;
    parser.remove?.();
    // It may be the parser that calls.
    setImmediate(() => parser.close?.());
  }
}
