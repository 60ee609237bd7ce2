import { GrpcCall } from '../grpc/call.ts';
import { GrpcStatus, isServerFailure, statusOfHttp } from '../grpc/status.ts';
import type { WebCall } from '../grpc/web-call.ts';
import { WebSink } from '../grpc/web-sink.ts';
import {
  type CanonicalRequest,
  canonicalRequest,
  type Forwarding,
  type RequestExtras,
  type RequestIds,
} from '../http/canonical-request.ts';
import {
  canonicalResponseFields,
  type ResponseFraming,
  responseFraming,
} from '../http/canonical-response.ts';
import { grpcTrailers, localMessage } from '../http/local-reply.ts';
import type { RequestHead } from '../http/request-head.ts';
import { Framing, type ResponseHead } from '../http/response-head.ts';
import { SMALL } from '../http/small.ts';
import { type LentBytes, OwnBytes } from '../memory/lent-bytes.ts';
import type { Flow } from '../memory/memory-budget.ts';
import type { ExchangeRecord } from '../observe/exchange-record.ts';
import type { Watched } from '../time/clock.ts';
import type { Endpoint } from '../upstream/endpoint.ts';
import {
  InvalidResponse,
  type ResponseReceiver,
  UnprocessedRequest,
} from '../upstream/response-receiver.ts';
import type { UpstreamStream } from '../upstream/upstream-stream.ts';
import { refusal } from './admission.ts';
import { ConnectionSearch, type ConnectionUser } from './connection-search.ts';
import { identify } from './identifiers.ts';
import { RequestBody } from './request-body.ts';
import type { ReplyOptions, ResponseSink } from './response-sink.ts';
import { isIdempotent, MAX_RETRIES } from './retry.ts';
import type { Runtime } from './runtime.ts';

const Phase = { idle: 0, connecting: 1, waiting: 2, streaming: 3 } as const;
type Phase = (typeof Phase)[keyof typeof Phase];

/**
 * Carries one request and its response, over as many tries as the guarantees on retries allow. A
 * lane creates one for each connection or request and may start it again once it has ended.
 */
export class Exchange implements ExchangeRecord, ResponseReceiver, ConnectionUser, Flow, Watched {
  /** The runtime of the listener, for the next request. */
  listener: Runtime;
  /** The runtime of the current request: of its route, or of the listener. */
  runtime: Runtime;
  head!: RequestHead;
  ids!: RequestIds;
  status = 0;
  /** Envoy-style: UF, UT, UO, UH, DC, RL; empty if all went well. */
  flags = '';
  bytesIn = 0;
  bytesOut = 0;
  startedAt = 0;
  clientAddress = '';
  /** The sink of the lane. */
  readonly #lane: ResponseSink;
  /** The sink of the current request: the lane's, or a translation in front of it. */
  #sink: ResponseSink;
  /** The sink, if it translates to gRPC-Web. */
  #web: WebSink | undefined;
  #http11 = true;
  #request!: CanonicalRequest;
  readonly #body: RequestBody;
  readonly #search: ConnectionSearch = new ConnectionSearch(this);
  #stream: UpstreamStream | undefined;
  #phase: Phase = Phase.idle;
  /** The gRPC call that the request is, if it is one. */
  #call: GrpcCall | undefined;
  /** Whether the request may be served twice. */
  #idempotent = false;
  #retries = 0;
  /** The time by which all must have ended, in milliseconds of `performance.now()`. */
  #deadline = NEVER;
  #responded = false;
  #tunnel = false;
  /** Whether the upstream cannot take more of the request now. */
  #bodyBlocked = true;
  /** Whether the client cannot take more of the response now. */
  #responseBlocked = false;
  /** Whether the memory budget wants nothing to be read. */
  #held = false;
  #joined = false;
  /** Time since when it waits for a connection, or for the response. */
  #since = 0;
  #lastActivity = 0;

  constructor(sink: ResponseSink, runtime: Runtime) {
    this.#lane = this.#sink = sink;
    this.listener = this.runtime = runtime;
    this.#body = new RequestBody(runtime.memory);
  }

  /** The endpoint that was tried last. */
  get endpoint(): Endpoint | undefined {
    return this.#search.endpoint;
  }

  get grpcStatus(): number | undefined {
    return this.#call?.status;
  }

  get protocol(): string {
    return this.#sink.protocol;
  }

  get active(): boolean {
    return this.#phase !== Phase.idle;
  }

  /**
   * Starts an exchange.
   * @param firstBody the body, or the part that arrived with the head.
   */
  start(
    head: RequestHead,
    forwarding: Forwarding,
    firstBody: Buffer | undefined,
    extras?: RequestExtras,
    http11 = true,
  ): void {
    const { listener } = this;
    const route = listener.routes?.find(head.host, head.target);
    const runtime = route ?? listener;
    this.runtime = runtime;
    this.head = head;
    this.ids = identify(head.fields, listener.sampling);
    this.startedAt = performance.now();
    this.status = 0;
    this.flags = '';
    this.bytesIn = firstBody === undefined ? 0 : firstBody.length;
    this.bytesOut = 0;
    this.clientAddress = forwarding.clientAddress;
    this.#search.reset(runtime, this.startedAt, extras?.upgrade !== undefined);
    this.#http11 = http11;
    const { speaksHttp2, maySpeakHttp2 } = runtime.cluster;
    const call =
      head.method === 'POST'
        ? GrpcCall.of(head, {
            translate: speaksHttp2 && http11,
            origins: runtime.grpcWebOrigins,
            largest: runtime.maxBody,
          })
        : undefined;
    this.#call = call;
    this.#web = call?.web
      ? new WebSink(call.web, this.#lane, (reason) => this.#fail(502, reason, 'UF'))
      : undefined;
    this.#sink = this.#web ?? this.#lane;
    this.#idempotent = runtime.idempotent || isIdempotent(head.method);
    // A stream that an HTTP/2 upstream refuses may be sent again whatever its method is.
    const repeatable = (this.#idempotent || maySpeakHttp2) && extras?.upgrade === undefined;
    this.#retries = 0;
    this.#responded = false;
    this.#tunnel = false;
    this.#bodyBlocked = true;
    this.#responseBlocked = false;
    this.#phase = Phase.connecting;
    this.#since = this.#lastActivity = this.startedAt;
    runtime.observer.begin();
    const refused = refusal({ head, forwarding, extras, listener, runtime }, this.startedAt);
    if (refused !== undefined) {
      this.#replyLocally(refused.status, refused.reason, refused.flag, refused);
      return;
    }
    if (call?.malformed) {
      this.#replyLocally(400, 'grpc-timeout is malformed', '');
      return;
    }
    const request = canonicalRequest(head, forwarding, runtime, this.ids, extras);
    const { total } = runtime.timeouts;
    this.#request = call === undefined ? request : call.bounded(request, total);
    if (call?.web) {
      if (!this.#beginWeb(call.web, firstBody, repeatable)) return;
    } else this.#body.begin(head.contentLength, firstBody, repeatable);
    this.#deadline = this.startedAt + Math.min(total || NEVER, call?.timeout ?? NEVER);
    const size = head.contentLength;
    if (size === -1 || size > this.bytesIn) this.#join();
    runtime.retryBudget.request(this.startedAt);
    this.#search.start(true);
  }

  /** Begins the body of a gRPC-Web call; false if it is refused at once. */
  #beginWeb(web: WebCall, firstBody: Buffer | undefined, repeatable: boolean): boolean {
    this.#request = web.request(this.#request);
    const first = firstBody && web.decode(firstBody);
    const complete = this.head.contentLength === this.bytesIn;
    if (first !== undefined && !Buffer.isBuffer(first)) {
      this.#replyLocally(first.status, first.reason, '');
      return false;
    }
    if (complete && !web.complete) {
      this.#replyLocally(400, INCOMPLETE, '');
      return false;
    }
    this.#body.begin(-1, first, repeatable);
    if (complete) this.#body.end(NOTHING, undefined);
    return true;
  }

  /** Sends a piece of the body, and releases it afterwards; false asks for `pauseBody`. */
  sendBody(piece: LentBytes): boolean {
    const stream = this.#stream;
    if (stream === undefined && !this.active) {
      piece.release();
      return true;
    }
    this.bytesIn += piece.bytes.length;
    this.#lastActivity = this.runtime.clock.now;
    if (this.#tunnel) {
      this.#bodyBlocked = !(stream?.sendTunnel(piece) ?? true);
      return !this.#bodyBlocked && !this.#held;
    }
    if (this.head.contentLength === -1 && this.bytesIn > this.runtime.maxBody) {
      piece.release();
      this.#fail(413, 'the body is larger than allowed', '');
      return true;
    }
    const web = this.#call?.web;
    if (web !== undefined) return this.#sendWeb(web, piece);
    this.#bodyBlocked = !this.#body.take(piece, stream);
    return !this.#bodyBlocked && !this.#held;
  }

  /** Sends a piece of a gRPC-Web call. */
  #sendWeb(web: WebCall, piece: LentBytes): boolean {
    const bytes = web.decode(piece.bytes);
    if (!Buffer.isBuffer(bytes)) {
      piece.release();
      this.#fail(bytes.status, bytes.reason, '');
      return true;
    }
    const same = bytes === piece.bytes;
    if (!same) piece.release();
    if (bytes.length > 0)
      this.#bodyBlocked = !this.#body.take(same ? piece : new OwnBytes(bytes), this.#stream);
    return !this.#bodyBlocked && !this.#held;
  }

  /** The body is complete. */
  endBody(trailers: readonly string[]): void {
    const stream = this.#stream;
    if (this.#tunnel) stream?.endTunnel();
    else if (this.active) {
      if (this.#call?.web?.complete === false) {
        this.#fail(400, INCOMPLETE, '');
        return;
      }
      this.#body.end(this.#call?.web ? NOTHING : trailers, stream);
      this.#since = this.runtime.clock.now;
    }
  }

  /** Ends the exchange because the client went away. */
  cancel(): void {
    if (this.#phase === Phase.idle) return;
    this.flags = this.#tunnel ? '' : 'DC';
    this.#releaseUpstream();
    if (this.status === 0) this.status = 499;
    if (this.#call) this.#call.status = GrpcStatus.cancelled;
    this.#end();
  }

  /** Ends a gRPC call, which may be a stream without an end, because the proxy stops. */
  stop(): void {
    if (this.active && this.#call) this.#fail(503, 'the proxy stops', '');
  }

  /** Ends it because its body takes up memory that is exhausted. */
  shed(): void {
    if (this.active) this.#fail(503, 'the body waits in too many pieces', 'OM');
  }

  /** The client accepts data again. */
  resume(): void {
    this.#lastActivity = this.runtime.clock.now;
    this.#responseBlocked = false;
    if (!this.#held) this.#stream?.resume();
  }

  holdReading(): void {
    this.#held = true;
    // Memory that is used up is not for another try.
    if (this.#stream !== undefined) this.#body.clear();
    this.#sink.pauseBody();
    this.#stream?.pause();
  }

  continueReading(): void {
    this.#held = false;
    if (!this.#bodyBlocked) this.#sink.resumeBody();
    if (!this.#responseBlocked) this.#stream?.resume();
  }

  onConnected(stream: UpstreamStream): void {
    this.#phase = Phase.waiting;
    this.#stream = stream;
    this.#since = this.#lastActivity = this.runtime.clock.now;
    this.#bodyBlocked = !this.#body.sendWith(this.#request, stream, this);
    if (!stream.requestSent && !this.#bodyBlocked && !this.#held) this.#sink.resumeBody();
  }

  onUnavailable(status: number, reason: string, flag: string): void {
    // Not even a timeout is the deadline's: the call has not begun.
    this.#replyLocally(status, reason, flag, { grpcStatus: GrpcStatus.unavailable });
  }

  onInformational(head: ResponseHead): void {
    this.#lastActivity = this.runtime.clock.now;
    if (this.#http11) this.#sink.sendInformational(head);
  }

  onHead(head: ResponseHead): void {
    // The upstream timed the connection out while the request was on its way (RFC 9110 §15.5.9).
    if (head.status === 408 && this.#stream!.reused) {
      if (!this.#retry()) this.#fail(502, 'the upstream closed its idle connection', 'UF');
      return;
    }
    this.#call?.readHead(head);
    if (this.grpcStatus === GrpcStatus.unavailable && this.runtime.idempotent && this.#retry(true))
      return;
    this.#body.clear();
    this.status = head.status;
    this.#responded = true;
    this.#phase = Phase.streaming;
    this.#tunnel = head.status === 101;
    this.#lastActivity = this.runtime.clock.now;
    // With an incomplete body neither connection can be used again.
    const early = !this.#stream!.requestSent && !this.#tunnel;
    const framing = this.#tunnel
      ? TUNNEL
      : responseFraming(head, this.#http11, early || this.#sink.mustClose());
    if (this.#tunnel || head.framing >= Framing.chunked || head.contentLength > SMALL) this.#join();
    const fields = canonicalResponseFields(head, this.ids.requestId, framing);
    this.#sink.sendHead(head, this.runtime.responseHeaders?.apply(fields) ?? fields, framing);
  }

  onBody(lent: LentBytes, start: number, end: number): void {
    this.bytesOut += end - start;
    this.#responseBlocked = !this.#sink.sendBodyPiece(lent, start, end);
    if (this.#responseBlocked || this.#held) this.#stream!.pause();
    this.#lastActivity = this.runtime.clock.now;
  }

  onMoreToCome(): void {
    this.#sink.flush();
  }

  onEnd(trailers: readonly string[]): void {
    this.#stream = undefined;
    if (this.#web?.incomplete) {
      this.#fail(502, 'the response ends within a message', 'UF');
      return;
    }
    this.#call?.readTrailers(trailers);
    this.#search.release(this.status < 500 && !isServerFailure(this.grpcStatus ?? 0));
    this.#end();
    this.#sink.sendEnd(trailers);
  }

  onDrain(): void {
    this.#lastActivity = this.runtime.clock.now;
    this.#bodyBlocked = false;
    if (!this.#held) this.#sink.resumeBody();
  }

  onLost(error: Error): void {
    const stream = this.#stream;
    this.#stream = undefined;
    if (error instanceof UnprocessedRequest) {
      if (!this.#responded && this.#body.repeatable && this.#retries < MAX_RETRIES) this.#repeat();
      else this.#fail(502, error.message, 'UF');
      return;
    }
    const invalid = error instanceof InvalidResponse;
    // The upstream closed it as idle while we wrote: most likely it has not seen the request.
    const unseen = (stream?.reused || this.runtime.idempotent) && !stream?.responding;
    if (invalid || this.#responded || !unseen || !this.#retry())
      this.#fail(502, error.message, 'UF');
  }

  /**
   * Sends the request once more, if it may be served twice and the budget allows it.
   * @param later whether the upstream needs a pause before.
   */
  #retry(later = false): boolean {
    if (!this.#idempotent || !this.#body.repeatable) return false;
    if (this.#retries > 0 || !this.runtime.retryBudget.take()) return false;
    this.#repeat(later);
    return true;
  }

  #repeat(later = false) {
    this.#retries++;
    this.#stream?.destroy();
    this.#stream = undefined;
    this.#bodyBlocked = true;
    this.runtime.observer.retries.inc();
    this.#search.release(!later);
    this.#phase = Phase.connecting;
    this.#since = this.runtime.clock.now;
    if (later) this.#search.startLater();
    else this.#search.start(false);
  }

  check(now: number): void {
    const { timeouts } = this.runtime;
    if (this.#phase === Phase.idle) return;
    this.#stream?.measure?.();
    if (now > this.#deadline && !this.#tunnel)
      this.#fail(504, 'the total timeout has passed', 'UT');
    else if (
      this.#phase === Phase.waiting &&
      this.#call?.timeout === undefined &&
      this.#stream?.requestSent &&
      now - Math.max(this.#since, this.#lastActivity) > timeouts.response
    )
      this.#fail(504, 'the upstream did not respond in time', 'UT');
    else if (this.#held && now - this.#lastActivity > STALLED)
      this.#fail(503, 'a slow peer while the memory for bodies is used up', 'OM');
    else if (this.#phase >= Phase.waiting && now - this.#lastActivity > timeouts.streamIdle)
      this.#fail(504, 'no data was transferred for too long', 'UT');
    else if (this.#phase === Phase.connecting && now - this.#since > timeouts.queue)
      this.#fail(503, 'no connection was free in time', 'UO');
  }

  /** Ends with an error of the upstream; sends a local reply if no response has begun. */
  #fail(status: number, reason: string, flag: string) {
    this.#releaseUpstream();
    if (!this.#responded) {
      this.#replyLocally(status, reason, flag);
      return;
    }
    this.flags = flag;
    let trailers = NOTHING;
    if (this.#call) {
      this.#call.status = statusOfHttp(status);
      trailers = grpcTrailers(this.#call.status, localMessage(status, reason));
    }
    if (this.#sink.discardHead()) {
      this.#replyLocally(status, reason, flag);
      return;
    }
    if (flag !== '') this.runtime.observer.failed(this, reason);
    this.#end();
    this.#sink.breakOff(trailers);
  }

  #replyLocally(status: number, reason: string, flag: string, options: ReplyOptions = {}) {
    this.status = status;
    this.flags = flag;
    this.#responded = true;
    if (flag !== '' && flag !== 'RL') this.runtime.observer.failed(this, reason);
    const { retryAfter, fields } = options;
    let grpcStatus: number | undefined;
    if (this.#call) {
      grpcStatus = options.grpcStatus ?? statusOfHttp(status);
      this.#call.status = grpcStatus;
      this.status = 200;
    }
    this.#end();
    this.#sink.sendLocalReply(status, reason, { retryAfter, grpcStatus, fields });
  }

  /** Releases the upstream in any phase. */
  #releaseUpstream() {
    this.#stream?.destroy();
    this.#stream = undefined;
    this.#search.cancel(this.flags === 'DC');
  }

  #join() {
    if (this.#joined) return;
    this.#joined = true;
    this.runtime.memory.join(this);
  }

  #end() {
    this.#phase = Phase.idle;
    if (this.#joined) {
      this.runtime.memory.leave(this);
      this.#joined = false;
      this.#held = false;
    }
    this.#body.clear();
    this.runtime.observer.end(this);
  }
}

const NEVER = Number.POSITIVE_INFINITY;
const NOTHING: readonly string[] = [];
const INCOMPLETE = 'the body ends within a message';

/**
 * How long a peer may make no progress while other exchanges wait for the memory that it occupies,
 * in milliseconds.
 */
const STALLED = 15_000;

const TUNNEL: ResponseFraming = { chunked: false, close: false, keepAlive: false };
