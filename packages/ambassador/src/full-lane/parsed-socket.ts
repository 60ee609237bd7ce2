import type http from 'node:http';
import type { Socket } from 'node:net';
import {
  type BodyBefore,
  messageStart,
  type ParseError,
  withUnknownMethod,
} from './unknown-method.ts';

/** The part of a parser of node:http that is used here. */
interface Parser {
  /** Called at the first byte of a message. */
  0?: (() => void) | null;
  /** Called with each piece of a body. */
  3?: (this: Parser, piece: Buffer) => void;
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

/** Reads a piece of a body in node:http; all its parsers share it. */
let readBody: ((this: Parser, piece: Buffer) => void) | undefined;

/** The reasons for which a parser stops before the end of its bytes. */
const Stop = { upgrade: 0, declined: 1, fault: 2 } as const;
type Stop = (typeof Stop)[keyof typeof Stop];

/**
 * Gives a socket to a server of node:http, and takes it back. The parser is not documented: with a
 * Node.js whose parser differs, `refused` finds nothing, and bytes after a declined upgrade are lost.
 */
export class ParsedSocket {
  readonly #socket: ServedSocket;
  readonly #before: ReadonlyMap<string, readonly unknown[]>;
  /**
   * The number of the present read. Bytes that were put back, or waited in the socket, are a read of
   * their own, whatever the socket has read by then.
   */
  #read = 0;
  /** The read in which the latest message began. */
  #begunAt = -1;
  /** The latest request when that message began; null if that had been served. */
  #previous: Parser['incoming'];
  #declined = false;
  /** The read in which the head of the latest request was complete. */
  #headAt = -1;
  /** Bytes of the body of the latest request; -1 if it has no length. */
  #length = 0;
  /** Bytes of its body in the present read. */
  #bodyInRead = 0;
  /** The bytes of earlier reads of a message whose method is incomplete. */
  #partial: Buffer | undefined;

  constructor(server: http.Server, socket: Socket) {
    this.#socket = socket;
    this.#before = new Map(EVENTS.map((event) => [event, socket.rawListeners(event)]));
    server.emit('connection', socket);
    const { parser } = this.#socket;
    if (!parser || !(0 in parser)) return;
    parser[0] = () => {
      this.#begunAt = this.#read;
      this.#partial = undefined;
      this.#previous = parser.incoming ?? null;
    };
    const executed = parser[5];
    if (!executed || !parser[3] || !parser.execute || !parser.getCurrentBuffer) return;
    this.#socket[PARSED] = this;
    parser[5] = (read) => this.#executed(parser, read, executed);
    parser.execute = executeAll;
    if (parser[3] !== countBody) readBody = parser[3];
    parser[3] = countBody;
  }

  /** Notes that the head of a request is complete. @param length of its body; -1 if it has none. */
  headRead(length: number): void {
    this.#headAt = this.#read;
    this.#length = length;
    this.#bodyInRead = 0;
  }

  bodyRead(length: number): void {
    this.#bodyInRead += length;
  }

  /**
   * Returns the message that the parser refuses, up to the end of the present read, if its method is
   * the reason and its beginning is certain.
   */
  refused(error: ParseError): Buffer | undefined {
    const { rawPacket, bytesParsed = 0, messageStart: known } = error;
    if (rawPacket === undefined || this.#socket[PARSED] !== this) return undefined;
    const begun = this.#begunAt === this.#read;
    // The parser refuses whatever follows: none of it is a message.
    this.#begunAt = -1;
    let message: Buffer | undefined;
    if (known !== undefined) {
      // The fault may be in any line: what an earlier read brought could be more than a method.
      if (begun) message = rawPacket.subarray(known);
    }
    // The parser knows methods of RTSP, but not with HTTP. All other faults are not in the first line.
    else if (error.code !== 'HPE_INVALID_METHOD' && !error.reason?.startsWith('Invalid method'))
      return undefined;
    else if (begun) message = this.#since(rawPacket, bytesParsed);
    else if (this.#partial) message = Buffer.concat([this.#partial, rawPacket]);
    this.#partial = undefined;
    return copyOf(message && withUnknownMethod(message));
  }

  /** Notes the end of a read without a fault. @param bytes returns those that were read. */
  readAll(parser: Parser, bytes: () => Buffer): void {
    const partial = this.#partial;
    if (this.#isHeadless(parser)) {
      const begun = this.#begunAt === this.#read;
      const read = begun || partial ? bytes() : undefined;
      const message = begun
        ? this.#since(read!, read!.length)
        : partial && Buffer.concat([partial, read!]);
      this.#partial = copyOf(message && withUnknownMethod(message));
    }
    this.#bodyInRead = 0;
    this.#read++;
  }

  /** Returns the message in whose first line `upTo` is, if its beginning is certain. */
  #since(bytes: Buffer, upTo: number): Buffer | undefined {
    const inRead = this.#headAt === this.#read ? undefined : this.#bodyInRead;
    const before: BodyBefore = { length: this.#length, inRead };
    // Without a body in this read, a line ends before the message, or the read begins with it.
    const start = messageStart(bytes, upTo, inRead === 0 ? { ...before, length: 0 } : before);
    return start === undefined ? undefined : bytes.subarray(start);
  }

  /** Whether the head of the latest message is incomplete. */
  #isHeadless({ incoming }: Parser): boolean {
    return this.#previous !== undefined && (incoming ?? null) === this.#previous;
  }

  /**
   * Notes that an upgrade is declined. At the end of its request the parser stops nevertheless, and
   * until the next head it does not report faults; node:http ignores both.
   */
  declineUpgrade(): void {
    this.#declined = true;
  }

  /** Tells why the parser stopped before the end of its bytes, without an error. */
  stop(parser: Parser): Stop {
    const { incoming } = parser;
    if (!this.#declined || incoming?.upgrade) return Stop.upgrade;
    return this.#isHeadless(parser) || !incoming ? Stop.fault : Stop.declined;
  }

  #executed(parser: Parser, read: number | ParseError, executed: Executed) {
    const bytes =
      this.#declined && typeof read === 'number' ? parser.getCurrentBuffer!() : undefined;
    const stop = bytes === undefined || read === bytes.length ? Stop.upgrade : this.stop(parser);
    if (typeof read === 'number' && stop !== Stop.fault)
      this.readAll(parser, () => parser.getCurrentBuffer!());
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

function copyOf(bytes: Buffer | undefined): Buffer | undefined {
  return bytes && Buffer.from(bytes);
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
    if (stop !== Stop.upgrade) continue;
    parsed?.readAll(this, () => bytes);
    return at;
  }
}

/** Counts a piece of a body, and reads it. */
function countBody(this: Parser, piece: Buffer): void {
  this.socket?.[PARSED]?.bodyRead(piece.length);
  readBody!.call(this, piece);
}
