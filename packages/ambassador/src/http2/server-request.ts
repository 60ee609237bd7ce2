import type { ServerHttp2Stream, ServerStreamResponseOptions } from 'node:http2';
import { Exchange } from '../exchange/exchange.ts';
import type { ReplyOptions, ResponseSink } from '../exchange/response-sink.ts';
import type { Runtime } from '../exchange/runtime.ts';
import type { Forwarding } from '../http/canonical-request.ts';
import type { ResponseFraming } from '../http/canonical-response.ts';
import { FieldKind } from '../http/field-kind.ts';
import { type LocalReplyOptions, localReply } from '../http/local-reply.ts';
import type { CheckedRequest } from '../http/request-check.ts';
import type { ResponseHead } from '../http/response-head.ts';
import { SMALL } from '../http/small.ts';
import { trailerFields } from '../http/trailers.ts';
import { type LentBytes, OwnBytes } from '../memory/lent-bytes.ts';
import type { Listed } from '../memory/live-list.ts';
import { RetainedBytes } from '../memory/retained-bytes.ts';
import { PIECE, unreadMemory, unreadPieces, WaitingBytes } from '../memory/waiting-bytes.ts';
import { Clock } from '../time/clock.ts';
import { NO_ERROR } from './error-codes.ts';
import { asObject, http2Response } from './response-fields.ts';

/** The options of a response, with one that the types lack. */
type RespondOptions = ServerStreamResponseOptions & { readonly sendDate: boolean };
const PLAIN: RespondOptions = { sendDate: false };
const ENDING: RespondOptions = { ...PLAIN, endStream: true };
const WITH_TRAILERS: RespondOptions = { ...PLAIN, waitForTrailers: true };
const NOTHING: readonly string[] = [];
/** How long a body may still take to end after its response, in milliseconds. */
const UPLOAD_END = 2 * Clock.tick;
/** The most unread pieces of a body while memory is exhausted. */
const MAX_PIECES = 256;

/** Names the request of a stream, so that all streams share their listeners. */
const REQUEST = Symbol('request');

/** A stream that an `Http2Request` serves. */
interface ServedStream extends ServerHttp2Stream {
  [REQUEST]?: Http2Request | undefined;
}

/** Serves one request of an HTTP/2 connection. */
export class Http2Request implements ResponseSink, Listed {
  readonly protocol = 'HTTP/2.0';
  place = -1;
  readonly #stream: ServedStream;
  readonly #onClosed: (request: Http2Request) => void;
  readonly #runtime: Runtime;
  readonly #exchange: Exchange;
  readonly #retained = new RetainedBytes();
  /** Bytes of the body that wait for the client. */
  readonly #responseWaiting: WaitingBytes;
  /** Bytes of the body that wait, unread, for the upstream. */
  readonly #requestWaiting: WaitingBytes;
  /** Whether the request has arrived completely. */
  #complete = false;
  #reading = false;
  #resetByUs = false;
  /** When the rest of a body that nobody needs is stopped by a reset. */
  #resetAt = Number.POSITIVE_INFINITY;
  #blocked = false;
  /** Pieces of the response that wait for the client. */
  #pieces = 0;
  /** Bytes of the body that are still to come; below 0 if unknown. */
  #remaining = -1;
  #requestTrailers: readonly string[] = NOTHING;
  #responseTrailers: readonly string[] = NOTHING;
  /** The response's head and framing, while it waits for its body. */
  #head: { readonly list: string[]; readonly trailers: boolean } | undefined;
  /** Whether the head that was sent lets trailers follow. */
  #takesTrailers = false;
  /** Whether the response has no body by its method or status. */
  #bodiless = false;

  /** @param onClosed is called once, when the stream has closed. */
  constructor(
    stream: ServerHttp2Stream,
    runtime: Runtime,
    onClosed: (request: Http2Request) => void,
  ) {
    this.#stream = stream;
    this.#runtime = runtime;
    this.#onClosed = onClosed;
    this.#exchange = new Exchange(this, runtime);
    this.#responseWaiting = new WaitingBytes(runtime.memory);
    this.#requestWaiting = new WaitingBytes(runtime.memory);
    this.#stream[REQUEST] = this;
    stream.on('error', ignore);
    stream.on('close', closed);
  }

  /** @param ended whether the request has no body. */
  start(head: CheckedRequest, forwarding: Forwarding, ended: boolean): void {
    this.#complete = ended;
    this.#remaining = head.contentLength;
    this.#stream.on('aborted', aborted);
    this.#exchange.start(head, forwarding, undefined, head);
  }

  /** Checks the time limits. @param now in milliseconds of the clock. */
  check(now: number): void {
    const stream = this.#stream;
    if (now >= this.#resetAt) stream.close(NO_ERROR);
    this.#requestWaiting.set(unreadMemory(stream));
    // Such a body takes more memory than its bytes, which alone the flow control bounds.
    if (this.#runtime.memory.exhausted && unreadPieces(stream) > MAX_PIECES) this.#exchange.shed();
    this.#exchange.check(now);
  }

  /** Ends a gRPC call because the proxy stops. */
  stop(): void {
    this.#exchange.stop();
  }

  resumeBody(): void {
    if (this.#complete || this.#discards) return;
    const stream = this.#stream;
    if (!this.#reading) {
      this.#reading = true;
      stream.on('data', dataRead);
      stream.on('trailers', trailersRead);
      stream.on('end', ended);
    }
    stream.resume();
    this.#requestWaiting.set(unreadMemory(stream));
  }

  pauseBody(): void {
    if (this.#reading && !this.#discards) this.#stream.pause();
  }

  sendInformational(head: ResponseHead): void {
    const { fields } = head;
    const passed = http2Response(
      head.status,
      fields.names.flatMap((name, i) =>
        fields.kinds[i] === FieldKind.ordinary ? [name, fields.values[i]!] : [],
      ),
    );
    if (!this.#stream.closed) this.#stream.additionalHeaders(asObject(passed) as never);
  }

  mustClose(): boolean {
    return false;
  }

  sendHead(head: ResponseHead, fields: readonly string[], framing: ResponseFraming): void {
    this.#bodiless = this.#isBodiless(head.status);
    this.#head = { list: http2Response(head.status, fields), trailers: framing.chunked };
  }

  sendBodyPiece(lent: LentBytes, start: number, end: number): boolean {
    const stream = this.#stream;
    if (this.#bodiless || !this.#respond(false)) return true;
    const size = end - start;
    this.#pieces++;
    if (size <= SMALL) {
      const copy = Buffer.allocUnsafe(size);
      lent.bytes.copy(copy, 0, start, end);
      stream.write(copy, this.#onWritten);
    } else {
      const release = this.#retained.retain(lent, () => stream.destroyed);
      stream.write(lent.bytes.subarray(start, end), () => {
        release();
        this.#onWritten();
      });
    }
    this.#blocked = this.#countResponse() > SMALL;
    return !this.#blocked;
  }

  sendEnd(trailers: readonly string[]): void {
    this.#responseTrailers = trailerFields(trailers);
    const waits = this.#head?.trailers && this.#responseTrailers.length > 0;
    if (!this.#respond(!waits)) return;
    this.#finish();
  }

  sendLocalReply(status: number, reason: string, options: ReplyOptions): void {
    const { requestId } = this.#exchange.ids;
    this.refuse(status, reason, { ...options, requestId });
  }

  /** Sends a local reply. */
  refuse(status: number, reason: string, options: LocalReplyOptions = {}): void {
    const reply = localReply(status, reason, options);
    this.#head = { list: http2Response(reply.status, reply.fields), trailers: false };
    const bodiless = reply.body === '' || this.#isBodiless(status);
    if (!this.#respond(bodiless)) return;
    if (!bodiless) this.#stream.write(reply.body, 'latin1');
    this.#finish();
  }

  flush(): void {
    this.#respond(false);
  }

  discardHead(): boolean {
    const unsent = this.#head !== undefined;
    this.#head = undefined;
    return unsent;
  }

  breakOff(trailers: readonly string[]): void {
    if (this.#takesTrailers && trailers.length > 0) this.sendEnd(trailers);
    else this.#breakOff('the response broke');
  }

  onClose(): void {
    this.#retained.abandonAll();
    this.#responseWaiting.set(0);
    this.#requestWaiting.set(0);
    this.#exchange.cancel();
    this.#onClosed(this);
    // Whoever still holds the stream does not hold the request.
    this.#stream[REQUEST] = undefined;
  }

  onAborted(): void {
    if (this.#resetByUs) return;
    this.#exchange.cancel();
    this.#stream.destroy();
  }

  onTrailersWanted(): void {
    this.#stream.sendTrailers(asObject(this.#responseTrailers));
    if (!this.#complete) this.#discardUpload();
  }

  onTrailers(raw: readonly string[]): void {
    this.#requestTrailers = trailerFields(raw);
  }

  onData(chunk: Buffer): void {
    if (this.#remaining >= 0) {
      this.#remaining -= chunk.length;
      if (this.#remaining < 0) {
        this.#exchange.cancel();
        this.#breakOff('the body is longer than its Content-Length');
        return;
      }
    }
    // A piece that is all of what node:http2 read must not be freed under it.
    const own = chunk.byteLength === chunk.buffer.byteLength ? Buffer.from(chunk) : chunk;
    if (!this.#exchange.sendBody(new OwnBytes(own))) this.pauseBody();
    this.#requestWaiting.set(unreadMemory(this.#stream));
  }

  onEnd(): void {
    this.#complete = true;
    this.#requestWaiting.set(0);
    if (this.#discards) return;
    if (this.#remaining > 0) {
      this.#exchange.cancel();
      this.#breakOff('the body is shorter than its Content-Length');
    } else if (!this.#stream.aborted) this.#exchange.endBody(this.#requestTrailers);
  }

  /** Counts what waits for the client; returns its memory in bytes. */
  #countResponse(): number {
    const waiting = this.#stream.closed ? 0 : this.#stream.writableLength + PIECE * this.#pieces;
    this.#responseWaiting.set(waiting);
    return waiting;
  }

  readonly #onWritten = (): void => {
    this.#pieces--;
    const waiting = this.#countResponse();
    if (!this.#blocked || waiting > SMALL / 2) return;
    this.#blocked = false;
    this.#exchange.resume();
  };

  /** Sends a head that waits; returns whether the body may follow. */
  #respond(endStream: boolean): boolean {
    const head = this.#head;
    const stream = this.#stream;
    if (stream.destroyed || stream.closed) return false;
    if (head === undefined) return true;
    this.#head = undefined;
    const ends = endStream || this.#bodiless;
    this.#takesTrailers = head.trailers && !ends;
    if (this.#takesTrailers) stream.on('wantTrailers', trailersWanted);
    stream.respond(head.list, ends ? ENDING : head.trailers ? WITH_TRAILERS : PLAIN);
    return true;
  }

  /** Breaks the stream off. `close` with an error code would end the body as if it were complete. */
  #breakOff(reason: string) {
    this.#resetByUs = true;
    this.#stream.destroy(new Error(reason));
  }

  /** Ends the response. */
  #finish() {
    if (!this.#stream.writableEnded) this.#stream.end();
    if (!this.#complete && this.#responseTrailers.length === 0) this.#discardUpload();
  }

  /**
   * Discards the rest of the request, without which its stream would never close. The client should
   * not send more of it than is under way (§8.1), so a body that does not end soon is stopped by a
   * reset. Not at once: curl 7.88 reports the reset instead of a response that it has received.
   */
  #discardUpload() {
    const stream = this.#stream;
    this.#resetByUs = true;
    this.#resetAt = this.#runtime.clock.now + UPLOAD_END;
    stream.removeAllListeners('data');
    stream.resume();
  }

  /** Whether nobody needs the rest of the request. */
  get #discards(): boolean {
    return this.#resetAt < Number.POSITIVE_INFINITY;
  }

  #isBodiless(status: number): boolean {
    return (
      this.#exchange.head?.method === 'HEAD' || status === 204 || status === 205 || status === 304
    );
  }
}

function ignore(): void {}

function closed(this: ServedStream): void {
  this[REQUEST]?.onClose();
}

function aborted(this: ServedStream): void {
  this[REQUEST]?.onAborted();
}

function trailersWanted(this: ServedStream): void {
  this[REQUEST]?.onTrailersWanted();
}

function dataRead(this: ServedStream, chunk: Buffer): void {
  this[REQUEST]?.onData(chunk);
}

function trailersRead(this: ServedStream, _fields: unknown, _flags: number, raw: string[]): void {
  this[REQUEST]?.onTrailers(raw);
}

function ended(this: ServedStream): void {
  this[REQUEST]?.onEnd();
}
