import type http from 'node:http';
import type { Socket } from 'node:net';
import type { ParseError } from './unknown-method.ts';

/** The part of a parser of node:http that is used here. */
interface Parser {
  /** Called at the first byte of a message. */
  0?: (() => void) | null;
  /** Called with the result of `execute` for bytes that the parser read by itself. */
  5?: Executed;
  /** Parses bytes; returns how many, or the fault in them. */
  execute?(bytes: Buffer): number | ParseError;
  /** Returns the bytes that the parser read by itself, during a call of `5`. */
  getCurrentBuffer?(): Buffer;
  /** The latest request; not once it has been served. */
  readonly incoming?: (http.IncomingMessage & { readonly upgrade: boolean }) | null;
  readonly socket?: ServedSocket | null;
  _consumed?: boolean;
  unconsume?(): void;
  remove?(): void;
  close?(): void;
}

type Executed = (read: number | ParseError) => void;
type Listener = (...args: unknown[]) => void;

const PARSED = Symbol('parsed');

interface ServedSocket extends Socket {
  parser?: Parser | null;
  [PARSED]?: ParsedSocket;
}

/** The events of a socket that node:http listens to. */
const EVENTS = ['data', 'end', 'close', 'drain', 'error', 'timeout', 'pause', 'resume'] as const;

/** The reasons for which a parser stops before the end of its bytes. */
const Stop = { upgrade: 0, declined: 1, fault: 2 } as const;
type Stop = (typeof Stop)[keyof typeof Stop];

/**
 * Gives a socket to a server of node:http, and takes it back. The parser is not documented: with a
 * Node.js whose parser differs, `canBeReadAgain` is false, and bytes after a declined upgrade are lost.
 */
export class ParsedSocket {
  readonly #socket: ServedSocket;
  readonly #before: ReadonlyMap<string, readonly unknown[]>;
  /** Bytes that the socket had read at the start of the latest message. */
  #begunAt = -1;
  /** The latest request when that message began; null if that had been served. */
  #previous: Parser['incoming'];
  #declined = false;

  constructor(server: http.Server, socket: Socket) {
    this.#socket = socket;
    this.#before = new Map(EVENTS.map((event) => [event, socket.rawListeners(event)]));
    server.emit('connection', socket);
    const { parser } = this.#socket;
    if (!parser || !(0 in parser)) return;
    parser[0] = () => {
      this.#begunAt = socket.bytesRead;
      this.#previous = parser.incoming ?? null;
    };
    const executed = parser[5];
    if (!executed || !parser.execute || !parser.getCurrentBuffer) return;
    this.#socket[PARSED] = this;
    parser[5] = (read) => this.#executed(parser, read, executed);
    parser.execute = executeAll;
  }

  /** Whether a message that cannot be parsed began with the bytes that were read last. */
  get canBeReadAgain(): boolean {
    return this.#begunAt === this.#socket.bytesRead;
  }

  /**
   * Notes that an upgrade is declined. At the end of its request the parser stops nevertheless, and
   * until the next head it does not report faults; node:http ignores both.
   */
  declineUpgrade(): void {
    this.#declined = true;
  }

  /** Tells why the parser stopped before the end of its bytes, without an error. */
  stop({ incoming }: Parser): Stop {
    if (!this.#declined || incoming?.upgrade) return Stop.upgrade;
    const headless = this.#previous !== undefined && (incoming ?? null) === this.#previous;
    return headless || !incoming ? Stop.fault : Stop.declined;
  }

  #executed(parser: Parser, read: number | ParseError, executed: Executed) {
    const bytes =
      this.#declined && typeof read === 'number' ? parser.getCurrentBuffer!() : undefined;
    const stop = bytes === undefined || read === bytes.length ? Stop.upgrade : this.stop(parser);
    const rest = stop === Stop.declined && Buffer.from(bytes!.subarray(read as number));
    executed(stop === Stop.fault ? fault(0, read as number) : read);
    if (rest && this.#socket.parser === parser) this.#socket.unshift(rest);
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

/** A fault that the parser did not report: that is only so in a message at the start of bytes. */
function fault(messageStart: number, read: number): ParseError {
  const bytesParsed = messageStart + read;
  return Object.assign(new Error('the message is malformed'), { bytesParsed, messageStart });
}

/** Replaces `execute` of a parser; parsers are used again for any connection. */
function executeAll(this: Parser, bytes: Buffer): number | ParseError {
  const { execute } = Object.getPrototypeOf(this) as Required<Parser>;
  const parsed = this.socket?.[PARSED];
  let at = 0;
  for (;;) {
    const read = execute.call(this, at === 0 ? bytes : bytes.subarray(at));
    if (typeof read !== 'number')
      return Object.assign(read, { bytesParsed: at + (read.bytesParsed ?? 0) });
    const ended = at + read === bytes.length;
    const stop = parsed === undefined || ended ? Stop.upgrade : parsed.stop(this);
    if (stop === Stop.fault) return fault(at, read);
    at += read;
    if (stop === Stop.upgrade) return at;
  }
}
