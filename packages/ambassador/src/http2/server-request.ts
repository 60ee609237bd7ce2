import type { ServerHttp2Stream } from 'node:http2';
import { Exchange } from '../exchange/exchange.ts';
import type { ReplyOptions, ResponseSink } from '../exchange/response-sink.ts';
import type { Runtime } from '../exchange/runtime.ts';
import type { Forwarding } from '../http/canonical-request.ts';
import type { ResponseFraming } from '../http/canonical-response.ts';
import type { LocalReplyOptions } from '../http/local-reply.ts';
import type { CheckedRequest } from '../http/request-check.ts';
import type { ResponseHead } from '../http/response-head.ts';
import { trailerFields } from '../http/trailers.ts';
import { type LentBytes, OwnBytes } from '../memory/lent-bytes.ts';
import type { Listed } from '../memory/live-list.ts';
import { unreadMemory, unreadPieces, WaitingBytes } from '../memory/waiting-bytes.ts';
import { NO_ERROR } from './error-codes.ts';
import {
  offerTrailers,
  readStream,
  type ServedStream,
  type StreamServer,
  serveStream,
  watchReset,
} from './served-stream.ts';
import { StreamResponse } from './stream-response.ts';

const NOTHING: readonly string[] = [];
/**
 * How long a body may still take to end after its response, in checks, of which one comes every 0.1 s.
 * On a busy machine a time may pass without anything being read in it.
 */
const UPLOAD_END = 3;
/** The most unread pieces of a body while memory is exhausted. */
const MAX_PIECES = 256;

/** Reads one request of an HTTP/2 connection, and serves it. */
export class Http2Request implements ResponseSink, StreamServer, Listed {
  readonly protocol = 'HTTP/2.0';
  place = -1;
  readonly #stream: ServedStream;
  readonly #onClosed: (request: Http2Request) => void;
  readonly #runtime: Runtime;
  readonly #exchange: Exchange;
  readonly #response: StreamResponse;
  /** Bytes of the body that wait, unread, for the upstream. */
  readonly #requestWaiting: WaitingBytes;
  /** Whether the request has arrived completely. */
  #complete = false;
  #reading = false;
  #resetByUs = false;
  /** Checks until the rest of a body that nobody needs is stopped by a reset. */
  #resetIn = Number.POSITIVE_INFINITY;
  /** Bytes of the body that are still to come; below 0 if unknown. */
  #remaining = -1;
  #requestTrailers: readonly string[] = NOTHING;

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
    this.#response = new StreamResponse(stream, runtime.memory, this.#exchange);
    this.#requestWaiting = new WaitingBytes(runtime.memory);
    serveStream(stream, this);
  }

  /** @param ended whether the request has no body. */
  start(head: CheckedRequest, forwarding: Forwarding, ended: boolean): void {
    this.#complete = ended;
    this.#remaining = head.contentLength;
    this.#response.headOnly = head.method === 'HEAD';
    watchReset(this.#stream);
    this.#exchange.start(head, forwarding, undefined, head);
  }

  /** Checks the time limits. @param now in milliseconds of the clock. */
  check(now: number): void {
    const stream = this.#stream;
    if (--this.#resetIn <= 0) stream.close(NO_ERROR);
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
      readStream(stream);
    }
    stream.resume();
    this.#requestWaiting.set(unreadMemory(stream));
  }

  pauseBody(): void {
    if (this.#reading && !this.#discards) this.#stream.pause();
  }

  sendInformational(head: ResponseHead): void {
    this.#response.informational(head);
  }

  mustClose(): boolean {
    return false;
  }

  sendHead(head: ResponseHead, fields: readonly string[], framing: ResponseFraming): void {
    if (framing.chunked) offerTrailers(this.#stream);
    this.#response.begin(head.status, fields, framing.chunked);
  }

  sendBodyPiece(lent: LentBytes, start: number, end: number): boolean {
    return this.#response.write(lent, start, end);
  }

  sendEnd(trailers: readonly string[]): void {
    if (this.#response.end(trailers)) this.#onEnded();
  }

  sendLocalReply(status: number, reason: string, options: ReplyOptions): void {
    const { requestId } = this.#exchange.ids;
    this.refuse(status, reason, { ...options, requestId });
  }

  /** Sends a local reply. */
  refuse(status: number, reason: string, options: LocalReplyOptions = {}): void {
    if (this.#response.reply(status, reason, options)) this.#onEnded();
  }

  flush(): void {
    this.#response.flush();
  }

  discardHead(): boolean {
    return this.#response.discardHead();
  }

  breakOff(trailers: readonly string[]): void {
    if (this.#response.takesTrailers && trailers.length > 0) this.sendEnd(trailers);
    else this.#breakOff('the response broke');
  }

  onClose(): void {
    this.#response.onClose();
    this.#requestWaiting.set(0);
    this.#exchange.cancel();
    this.#onClosed(this);
  }

  onAborted(): void {
    if (this.#resetByUs) return;
    this.#exchange.cancel();
    this.#stream.destroy();
  }

  onTrailersWanted(): void {
    this.#response.sendTrailers();
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

  /** Breaks the stream off. `close` with an error code would end the body as if it were complete. */
  #breakOff(reason: string) {
    this.#resetByUs = true;
    this.#stream.destroy(new Error(reason));
  }

  /** The response has ended, except for trailers. */
  #onEnded() {
    if (!this.#complete && !this.#response.hasTrailers) this.#discardUpload();
  }

  /**
   * Discards the rest of the request, without which its stream would never close. The client should
   * not send more of it than is under way (§8.1), so a body that does not end soon is stopped by a
   * reset. Not at once: curl 7.88 reports the reset instead of a response that it has received.
   */
  #discardUpload() {
    const stream = this.#stream;
    this.#resetByUs = true;
    this.#resetIn = UPLOAD_END;
    stream.removeAllListeners('data');
    stream.resume();
  }

  /** Whether nobody needs the rest of the request. */
  get #discards(): boolean {
    return this.#resetIn < Number.POSITIVE_INFINITY;
  }
}
