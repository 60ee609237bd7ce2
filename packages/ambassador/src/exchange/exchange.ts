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
import type { LentBytes } from '../memory/lent-bytes.ts';
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
import { Attempts } from './attempts.ts';
import { ConnectionSearch, type ConnectionUser } from './connection-search.ts';
import { ExchangeFlow } from './exchange-flow.ts';
import { identify } from './identifiers.ts';
import { NEVER, Phase, Progress } from './progress.ts';
import { RequestBody } from './request-body.ts';
import type { ReplyOptions, ResponseSink } from './response-sink.ts';
import { isIdempotent } from './retry.ts';
import type { Runtime } from './runtime.ts';
import { endOfWeb, firstOfWeb, pieceOfWeb } from './web-body.ts';

/**
 * Carries one request and its response, over as many tries as the guarantees on retries allow. A
 * lane creates one for each connection or request and may start it again once it has ended.
 */
export class Exchange implements ExchangeRecord, ResponseReceiver, ConnectionUser, Watched {
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
  readonly #progress = new Progress();
  readonly #attempts = new Attempts();
  readonly #flow: ExchangeFlow;
  /** The gRPC call that the request is, if it is one. */
  #call: GrpcCall | undefined;
  #responded = false;

  constructor(sink: ResponseSink, runtime: Runtime) {
    this.#lane = this.#sink = sink;
    this.listener = this.runtime = runtime;
    this.#body = new RequestBody(runtime.memory);
    this.#flow = new ExchangeFlow({
      pauseRequest: () => {
        // Memory that is used up is not for another try.
        if (this.#stream !== undefined) this.#body.clear();
        this.#sink.pauseBody();
      },
      resumeRequest: () => this.#sink.resumeBody(),
      pauseResponse: () => this.#stream?.pause(),
      resumeResponse: () => this.#stream?.resume(),
    });
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
    return this.#progress.phase !== Phase.idle;
  }

  /**
   * Starts an exchange.
   * @param firstBody the body, or the part that arrived with the head; the exchange releases it.
   */
  start(
    head: RequestHead,
    forwarding: Forwarding,
    firstBody: LentBytes | undefined,
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
    this.bytesIn = firstBody === undefined ? 0 : firstBody.bytes.length;
    this.bytesOut = 0;
    this.clientAddress = forwarding.clientAddress;
    this.#search.reset(runtime, this.startedAt, extras?.upgrade !== undefined);
    this.#http11 = http11;
    const { maySpeakHttp2 } = runtime.cluster;
    const call =
      head.method === 'POST'
        ? GrpcCall.of(head, {
            translate: runtime.grpcWeb && http11,
            origins: runtime.grpcWebOrigins,
            largest: runtime.maxBody,
          })
        : undefined;
    this.#call = call;
    this.#web = call?.web
      ? new WebSink(call.web, this.#lane, (reason) => this.#fail(502, reason, 'UF'))
      : undefined;
    this.#sink = this.#web ?? this.#lane;
    const idempotent = runtime.idempotent || isIdempotent(head.method);
    // A stream that an HTTP/2 upstream refuses may be sent again whatever its method is.
    const repeatable = (idempotent || maySpeakHttp2) && extras?.upgrade === undefined;
    this.#attempts.begin(idempotent);
    this.#responded = false;
    this.#flow.begin();
    this.#progress.begin(this.startedAt);
    runtime.observer.begin();
    const refused = refusal({ head, forwarding, extras, listener, runtime }, this.startedAt);
    if (refused !== undefined) {
      firstBody?.release();
      this.#replyLocally(refused.status, refused.reason, refused.flag, refused);
      return;
    }
    if (call?.malformed) {
      firstBody?.release();
      this.#replyLocally(400, 'grpc-timeout is malformed', '');
      return;
    }
    const request = canonicalRequest(head, forwarding, runtime, this.ids, extras);
    const { total } = runtime.timeouts;
    this.#request = call === undefined ? request : call.bounded(request, total);
    if (call?.web) {
      if (!this.#beginWeb(call.web, firstBody, repeatable)) return;
    } else this.#body.begin(head.contentLength, firstBody, repeatable);
    this.#progress.deadline = this.startedAt + Math.min(total || NEVER, call?.timeout ?? NEVER);
    const size = head.contentLength;
    if (size === -1 || size > this.bytesIn) this.#flow.join(runtime.memory);
    runtime.retryBudget.request(this.startedAt);
    this.#search.start(true);
  }

  /** Begins the body of a gRPC-Web call; false if it is refused at once. */
  #beginWeb(web: WebCall, firstBody: LentBytes | undefined, repeatable: boolean): boolean {
    this.#request = web.request(this.#request);
    const complete = this.head.contentLength === this.bytesIn;
    const first = firstOfWeb(web, firstBody, complete);
    if (first !== undefined && 'status' in first) {
      this.#replyLocally(first.status, first.reason, '');
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
    this.#progress.lastActivity = this.runtime.clock.now;
    if (this.#progress.tunnel) return this.#flow.requestTaken(stream?.sendTunnel(piece) ?? true);
    if (this.head.contentLength === -1 && this.bytesIn > this.runtime.maxBody) {
      piece.release();
      this.#fail(413, 'the body is larger than allowed', '');
      return true;
    }
    const web = this.#call?.web;
    const own = web === undefined ? piece : pieceOfWeb(web, piece);
    if (own === undefined) return this.#flow.readsRequest;
    if ('status' in own) {
      this.#fail(own.status, own.reason, '');
      return true;
    }
    return this.#flow.requestTaken(this.#body.take(own, stream));
  }

  /** The body is complete. */
  endBody(trailers: readonly string[]): void {
    const stream = this.#stream;
    if (this.#progress.tunnel) stream?.endTunnel();
    else if (this.active) {
      const cut = this.#call?.web && endOfWeb(this.#call.web);
      if (cut !== undefined) {
        this.#fail(cut.status, cut.reason, '');
        return;
      }
      this.#body.end(this.#call?.web ? NOTHING : trailers, stream);
      this.#progress.since = this.runtime.clock.now;
    }
  }

  /** Ends the exchange because the client went away. */
  cancel(): void {
    if (!this.active) return;
    this.flags = this.#progress.tunnel ? '' : 'DC';
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
    this.#progress.lastActivity = this.runtime.clock.now;
    this.#flow.responseDrained();
  }

  onConnected(stream: UpstreamStream): void {
    this.#stream = stream;
    if (this.#web !== undefined && !stream.http2) {
      // That is no failure of an endpoint which serves other requests.
      this.#search.release(true);
      this.#fail(502, 'gRPC needs an upstream that chooses HTTP/2', 'UF');
      return;
    }
    this.#progress.phase = Phase.waiting;
    this.#progress.since = this.#progress.lastActivity = this.runtime.clock.now;
    const reads = this.#flow.requestTaken(this.#body.sendWith(this.#request, stream, this));
    if (!stream.requestSent && reads) this.#sink.resumeBody();
  }

  onUnavailable(status: number, reason: string, flag: string): void {
    // Not even a timeout is the deadline's: the call has not begun.
    this.#replyLocally(status, reason, flag, { grpcStatus: GrpcStatus.unavailable });
  }

  onInformational(head: ResponseHead): void {
    this.#progress.lastActivity = this.runtime.clock.now;
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
    this.#progress.phase = Phase.streaming;
    const tunnel = head.status === 101;
    this.#progress.tunnel = tunnel;
    this.#progress.lastActivity = this.runtime.clock.now;
    // With an incomplete body neither connection can be used again.
    const early = !this.#stream!.requestSent && !tunnel;
    const framing = tunnel
      ? TUNNEL
      : responseFraming(head, this.#http11, early || this.#sink.mustClose());
    if (tunnel || head.framing >= Framing.chunked || head.contentLength > SMALL)
      this.#flow.join(this.runtime.memory);
    const fields = canonicalResponseFields(head, this.ids.requestId, framing);
    this.#sink.sendHead(head, this.runtime.responseHeaders?.apply(fields) ?? fields, framing);
  }

  onBody(lent: LentBytes, start: number, end: number): void {
    this.bytesOut += end - start;
    if (!this.#flow.responseTaken(this.#sink.sendBodyPiece(lent, start, end)))
      this.#stream!.pause();
    this.#progress.lastActivity = this.runtime.clock.now;
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
    this.#progress.lastActivity = this.runtime.clock.now;
    this.#flow.requestDrained();
  }

  onLost(error: Error): void {
    const stream = this.#stream;
    this.#stream = undefined;
    if (error instanceof UnprocessedRequest) {
      if (!this.#responded && this.#attempts.mayResend(this.#body)) this.#repeat();
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
    if (!this.#attempts.mayRepeat(this.#body, this.runtime.retryBudget)) return false;
    this.#repeat(later);
    return true;
  }

  #repeat(later = false) {
    this.#attempts.count();
    this.#stream?.destroy();
    this.#stream = undefined;
    this.#flow.begin();
    this.runtime.observer.retries.inc();
    this.#search.release(!later);
    this.#progress.phase = Phase.connecting;
    this.#progress.since = this.runtime.clock.now;
    if (later) this.#search.startLater();
    else this.#search.start(false);
  }

  check(now: number): void {
    if (!this.active) return;
    this.#stream?.measure?.();
    const facts = {
      requestSent: this.#stream?.requestSent ?? false,
      bounded: this.#call?.timeout !== undefined,
      held: this.#flow.held,
    };
    const expired = this.#progress.expired(now, facts, this.runtime.timeouts);
    if (expired !== undefined) this.#fail(expired.status, expired.reason, expired.flag);
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

  #end() {
    this.#progress.phase = Phase.idle;
    this.#flow.leave();
    this.#body.clear();
    this.runtime.observer.end(this);
  }
}

const NOTHING: readonly string[] = [];
const TUNNEL: ResponseFraming = { chunked: false, close: false, keepAlive: false };
