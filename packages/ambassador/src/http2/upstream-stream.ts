import { STATUS_CODES } from 'node:http';
import type { CanonicalRequest } from '../http/canonical-request.ts';
import { SMALL } from '../http/small.ts';
import { trailerFields } from '../http/trailers.ts';
import { type LentBytes, OwnBytes } from '../memory/lent-bytes.ts';
import { PIECE, unreadMemory, WaitingBytes } from '../memory/waiting-bytes.ts';
import {
  InvalidResponse,
  type ResponseReceiver,
  UnprocessedRequest,
} from '../upstream/response-receiver.ts';
import type { UpstreamStream } from '../upstream/upstream-stream.ts';
import { CANCEL, REFUSED_STREAM } from './error-codes.ts';
import { http2Request } from './request-fields.ts';
import { observeStream, type RequestedStream, type StreamRequester } from './requested-stream.ts';
import { asObject } from './response-fields.ts';
import { readHttp2Response } from './response-head.ts';
import type { UpstreamSession } from './upstream-session.ts';

const NOTHING: readonly string[] = [];
/** The most informational responses to a request. */
const MAX_INFORMATIONAL = 16;

/** Carries one request to an upstream over HTTP/2. */
export class Http2UpstreamStream implements UpstreamStream, StreamRequester {
  readonly http2 = true;
  readonly reused: boolean;
  responding = false;
  requestSent = false;
  readonly #owner: UpstreamSession;
  readonly #waiting: WaitingBytes;
  /** Bytes of the response that wait, unread, for the client. */
  readonly #unread: WaitingBytes;
  /** Pieces of the request that wait for the upstream. */
  #pieces = 0;
  #stream: RequestedStream | undefined;
  #receiver: ResponseReceiver | undefined;
  #blocked = false;
  #counted = true;
  #closed = false;
  #informational = 0;
  #requestTrailers = NOTHING;
  #responseTrailers = NOTHING;
  /** Made when it is needed: an error costs as much as the rest of the object. */
  #error: Error | undefined;
  #method = '';

  /** Reserves a stream of a session. */
  constructor(owner: UpstreamSession) {
    this.#owner = owner;
    this.#waiting = new WaitingBytes(owner.resources.memory);
    this.#unread = new WaitingBytes(owner.resources.memory);
    owner.begin();
    this.reused = owner.uses > 1;
  }

  begin(
    receiver: ResponseReceiver,
    request: CanonicalRequest,
    first: Buffer | undefined,
    complete: boolean,
  ): void {
    this.#receiver = receiver;
    if (this.#owner.session.closed) {
      // GOAWAY came since the stream was reserved.
      queueMicrotask(() => this.onClose());
      return;
    }
    const endStream = complete && first === undefined;
    const withTrailers = !complete && request.contentLength === -1;
    const stream: RequestedStream = this.#owner.session.request(
      http2Request(request, this.#owner.scheme),
      { endStream, waitForTrailers: withTrailers },
    );
    this.#stream = stream;
    this.#method = request.method;
    observeStream(stream, this, withTrailers);
    this.requestSent = complete;
    if (first !== undefined) this.#write(first);
    if (complete && !endStream) stream.end();
  }

  sendBody(piece: LentBytes): boolean {
    // The session may write from it after the stream has closed.
    const own = piece.counted ? Buffer.from(piece.bytes) : piece.bytes;
    if (piece.counted) piece.release();
    return this.#write(own);
  }

  endBody(trailers: readonly string[]): void {
    this.#requestTrailers = trailers;
    this.requestSent = true;
    this.#stream?.end();
  }

  /** Tunnels are not opened over HTTP/2. */
  sendTunnel(): boolean {
    return true;
  }

  endTunnel(): void {}

  pause(): void {
    this.#stream?.pause();
  }

  measure(): void {
    if (this.#stream !== undefined && !this.#closed) this.#unread.set(unreadMemory(this.#stream));
  }

  resume(): void {
    this.#stream?.resume();
  }

  destroy(): void {
    this.#receiver = undefined;
    const stream = this.#stream;
    if (stream === undefined) this.#release();
    else if (!stream.writableEnded) {
      // `close` would end the body as if it were complete.
      stream.destroy(this.#failure);
    } else {
      stream.close(CANCEL);
      stream.resume();
    }
  }

  #write(chunk: Buffer): boolean {
    const stream = this.#stream;
    if (stream === undefined) return true;
    if (stream.writable) {
      this.#pieces++;
      stream.write(chunk, this.#onWritten);
    }
    const waiting = this.#count(stream);
    this.#blocked = waiting > SMALL;
    return !this.#blocked;
  }

  /** Counts what waits for the upstream; returns its memory in bytes. */
  #count(stream: RequestedStream): number {
    const waiting = stream.writableLength + PIECE * this.#pieces;
    this.#waiting.set(waiting);
    return waiting;
  }

  readonly #onWritten = (): void => {
    const stream = this.#stream!;
    this.#pieces--;
    if (this.#closed) return;
    const waiting = this.#count(stream);
    if (!this.#blocked || waiting > SMALL / 2) return;
    this.#blocked = false;
    this.#receiver?.onDrain();
  };

  onInformational(raw: readonly string[]): void {
    this.responding = true;
    const head = readHttp2Response(raw, '', false, this.#owner.limits);
    if (typeof head === 'string' || ++this.#informational > MAX_INFORMATIONAL)
      this.#fail(typeof head === 'string' ? head : 'too many informational responses');
    else if (head.status !== 101) this.#receiver?.onInformational(head);
  }

  onHead(raw: readonly string[], ended: boolean): void {
    this.responding = true;
    const head = readHttp2Response(raw, this.#method, ended, this.#owner.limits);
    if (typeof head === 'string') {
      this.#fail(head);
      return;
    }
    this.#receiver?.onHead({ ...head, reason: STATUS_CODES[head.status] ?? '' });
    if (!ended) this.#receiver?.onMoreToCome();
  }

  onTrailers(raw: readonly string[]): void {
    this.#responseTrailers = trailerFields(raw);
  }

  onTrailersWanted(): void {
    this.#stream?.sendTrailers(asObject(this.#requestTrailers));
  }

  onData(chunk: Buffer): void {
    // A piece that is all of what node:http2 read must not be freed under it.
    const own = chunk.byteLength === chunk.buffer.byteLength ? Buffer.from(chunk) : chunk;
    const lent = new OwnBytes(own);
    if (own.length > 0) this.#receiver?.onBody(lent, 0, own.length);
    lent.release();
  }

  onEnd(): void {
    // A reset ends the body too, and so does a stream without a response.
    if (!this.responding || this.#stream?.rstCode) return;
    const receiver = this.#receiver;
    this.#receiver = undefined;
    if (!this.requestSent) this.#stream?.destroy(this.#failure);
    this.#release();
    receiver?.onEnd(this.#responseTrailers);
  }

  onError(error: Error): void {
    this.#error = error;
  }

  onClose(): void {
    this.#closed = true;
    this.#waiting.set(0);
    this.#unread.set(0);
    this.#release();
    const receiver = this.#receiver;
    this.#receiver = undefined;
    receiver?.onLost(
      this.#isUnprocessed
        ? new UnprocessedRequest('the upstream refused the stream')
        : this.#failure,
    );
  }

  get #failure(): Error {
    return this.#error ?? new Error('the upstream closed the stream');
  }

  /** Whether the upstream has not processed the request, and says so. */
  get #isUnprocessed(): boolean {
    const stream = this.#stream;
    if (stream === undefined) return true;
    if (this.responding) return false;
    return stream.rstCode === REFUSED_STREAM || (stream.id ?? 0) > this.#owner.lastStream;
  }

  #fail(reason: string) {
    const receiver = this.#receiver;
    this.destroy();
    receiver?.onLost(new InvalidResponse(reason));
  }

  #release() {
    if (!this.#counted) return;
    this.#counted = false;
    this.#owner.end();
  }
}
