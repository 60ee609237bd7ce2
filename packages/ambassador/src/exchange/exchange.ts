import { GrpcCall } from '../grpc/call.ts';
import { GrpcStatus, isServerFailure, statusOfHttp } from '../grpc/status.ts';
import type { WebCall } from '../grpc/web-call.ts';
import { WebSink } from '../grpc/web-sink.ts';
import {
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
import { type Refused, refusal } from './admission.ts';
import { type Directions, ExchangeFlow } from './exchange-flow.ts';
import { identify } from './identifiers.ts';
import { NEVER, Phase, Progress } from './progress.ts';
import { RequestBody } from './request-body.ts';
import type { ReplyOptions, ResponseSink } from './response-sink.ts';
import { isIdempotent } from './retry.ts';
import type { Runtime } from './runtime.ts';
import { Tries, type TriesOwner } from './tries.ts';
import { endOfWeb, firstOfWeb, pieceOfWeb } from './web-body.ts';

/**
 * Carries one request and its response between a lane and the tries. A lane creates one for each
 * connection or request and may start it again once it has ended.
 */
export class Exchange implements Directions, ExchangeRecord, TriesOwner, Watched {
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
  readonly #body: RequestBody;
  readonly #progress = new Progress();
  readonly #flow: ExchangeFlow;
  readonly #tries: Tries;
  /** The gRPC call that the request is, if it is one. */
  #call: GrpcCall | undefined;

  constructor(sink: ResponseSink, runtime: Runtime) {
    this.#lane = this.#sink = sink;
    this.listener = this.runtime = runtime;
    const body = new RequestBody(runtime.memory);
    const flow = new ExchangeFlow(this);
    this.#body = body;
    this.#flow = flow;
    this.#tries = new Tries(this, { body, flow, progress: this.#progress });
  }

  /** The endpoint that was tried last. */
  get endpoint(): Endpoint | undefined {
    return this.#tries.endpoint;
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
    const runtime = listener.routes?.find(head.host, head.target) ?? listener;
    this.runtime = runtime;
    this.head = head;
    this.ids = identify(head.fields, listener.sampling);
    const startedAt = performance.now();
    this.startedAt = startedAt;
    this.status = 0;
    this.flags = '';
    this.bytesIn = firstBody === undefined ? 0 : firstBody.bytes.length;
    this.bytesOut = 0;
    this.clientAddress = forwarding.clientAddress;
    this.#http11 = http11;
    const call = this.#beginCall();
    const idempotent = runtime.idempotent || isIdempotent(head.method);
    const upgrades = extras?.upgrade !== undefined;
    this.#tries.reset(runtime, startedAt, upgrades, idempotent);
    this.#flow.begin();
    this.#progress.begin(startedAt);
    runtime.observer.begin();
    const refused =
      refusal({ head, forwarding, extras, listener, runtime }, startedAt) ??
      (call?.malformed ? MALFORMED_TIMEOUT : undefined);
    if (refused !== undefined) {
      firstBody?.release();
      this.#replyLocally(refused.status, refused.reason, refused.flag, refused);
      return;
    }
    let request = canonicalRequest(head, forwarding, runtime, this.ids, extras);
    const { total } = runtime.timeouts;
    if (call !== undefined) request = call.bounded(request, total);
    // A stream that an HTTP/2 upstream refuses may be sent again whatever its method is.
    const repeatable = (idempotent || runtime.cluster.maySpeakHttp2) && !upgrades;
    if (call?.web) {
      request = call.web.request(request);
      if (!this.#beginWebBody(call.web, firstBody, repeatable)) return;
    } else this.#body.begin(head.contentLength, firstBody, repeatable);
    this.#progress.deadline = startedAt + Math.min(total || NEVER, call?.timeout ?? NEVER);
    const size = head.contentLength;
    if (size === -1 || size > this.bytesIn) this.#flow.join(runtime.memory);
    this.#tries.start(request, call, startedAt);
  }

  /** Finds out whether the request is a gRPC call, and which sink its response needs. */
  #beginCall(): GrpcCall | undefined {
    const { head, runtime } = this;
    const call =
      head.method === 'POST'
        ? GrpcCall.of(head, {
            translate: runtime.grpcWeb && this.#http11,
            origins: runtime.grpcWebOrigins,
            largest: runtime.maxBody,
          })
        : undefined;
    this.#call = call;
    this.#web = call?.web
      ? new WebSink(call.web, this.#lane, (reason) => this.onFailed(502, reason, 'UF'))
      : undefined;
    this.#sink = this.#web ?? this.#lane;
    return call;
  }

  /** Begins the body of a gRPC-Web call; false if it is refused at once. */
  #beginWebBody(web: WebCall, firstBody: LentBytes | undefined, repeatable: boolean): boolean {
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
    if (!this.#tries.connected && !this.active) {
      piece.release();
      return true;
    }
    this.bytesIn += piece.bytes.length;
    this.#progress.lastActivity = this.runtime.clock.now;
    if (this.#progress.tunnel) return this.#flow.requestTaken(this.#tries.sendTunnel(piece));
    if (this.head.contentLength === -1 && this.bytesIn > this.runtime.maxBody) {
      piece.release();
      this.onFailed(413, 'the body is larger than allowed', '');
      return true;
    }
    const web = this.#call?.web;
    const own = web === undefined ? piece : pieceOfWeb(web, piece);
    if (own === undefined) return this.#flow.readsRequest;
    if ('status' in own) {
      this.onFailed(own.status, own.reason, '');
      return true;
    }
    return this.#flow.requestTaken(this.#tries.sendBody(own));
  }

  /** The body is complete. */
  endBody(trailers: readonly string[]): void {
    if (this.#progress.tunnel) this.#tries.endTunnel();
    else if (this.active) {
      const cut = this.#call?.web && endOfWeb(this.#call.web);
      if (cut !== undefined) {
        this.onFailed(cut.status, cut.reason, '');
        return;
      }
      this.#tries.endBody(this.#call?.web ? NOTHING : trailers);
      this.#progress.since = this.runtime.clock.now;
    }
  }

  /** Ends the exchange because the client went away. */
  cancel(): void {
    if (!this.active) return;
    this.flags = this.#progress.tunnel ? '' : 'DC';
    this.#tries.cancel(undefined);
    if (this.status === 0) this.status = 499;
    if (this.#call) this.#call.status = GrpcStatus.cancelled;
    this.#end();
  }

  /** Ends a gRPC call, which may be a stream without an end, because the proxy stops. */
  stop(): void {
    if (this.active && this.#call) this.onFailed(503, 'the proxy stops', '');
  }

  /** Ends it because its body takes up memory that is exhausted. */
  shed(): void {
    if (this.active) this.onFailed(503, 'the body waits in too many pieces', 'OM');
  }

  pauseRequest(): void {
    // Memory that is used up is not for another try.
    if (this.#tries.connected) this.#body.clear();
    this.#sink.pauseBody();
  }

  resumeRequest(): void {
    this.#sink.resumeBody();
  }

  pauseResponse(): void {
    this.#tries.pause();
  }

  resumeResponse(): void {
    this.#tries.resume();
  }

  /** The client accepts data again. */
  resume(): void {
    this.#progress.lastActivity = this.runtime.clock.now;
    this.#flow.responseDrained();
  }

  onBodyWanted(): void {
    this.#sink.resumeBody();
  }

  onUnavailable(status: number, reason: string, flag: string): void {
    // Not even a timeout is the deadline's: the call has not begun.
    this.#replyLocally(status, reason, flag, { grpcStatus: GrpcStatus.unavailable });
  }

  onInformational(head: ResponseHead): void {
    if (this.#http11) this.#sink.sendInformational(head);
  }

  onHead(head: ResponseHead): void {
    this.status = head.status;
    const tunnel = head.status === 101;
    this.#progress.tunnel = tunnel;
    // With an incomplete body neither connection can be used again.
    const early = !this.#tries.requestSent && !tunnel;
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
    if (!this.#flow.responseTaken(this.#sink.sendBodyPiece(lent, start, end))) this.#tries.pause();
  }

  onMoreToCome(): void {
    this.#sink.flush();
  }

  onEnd(trailers: readonly string[]): void {
    if (this.#web?.incomplete) {
      this.onFailed(502, 'the response ends within a message', 'UF');
      return;
    }
    this.#call?.readTrailers(trailers);
    this.#tries.release(this.status < 500 && !isServerFailure(this.grpcStatus ?? 0));
    this.#end();
    this.#sink.sendEnd(trailers);
  }

  check(now: number): void {
    if (!this.active) return;
    this.#tries.measure();
    const facts = {
      requestSent: this.#tries.requestSent,
      bounded: this.#call?.timeout !== undefined,
      held: this.#flow.held,
    };
    const expired = this.#progress.expired(now, facts, this.runtime.timeouts);
    if (expired !== undefined) this.onFailed(expired.status, expired.reason, expired.flag);
  }

  /** Ends with an error; sends a local reply if no response has begun. */
  onFailed(status: number, reason: string, flag: string): void {
    // Clients must not be able to eject endpoints by what they send, or how slowly they read.
    this.#tries.cancel(flag.startsWith('U') ? false : undefined);
    if (!this.#tries.responded) {
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

  #end() {
    this.#progress.phase = Phase.idle;
    this.#flow.leave();
    this.#body.clear();
    this.runtime.observer.end(this);
  }
}

const NOTHING: readonly string[] = [];
const TUNNEL: ResponseFraming = { chunked: false, close: false, keepAlive: false };
const MALFORMED_TIMEOUT: Refused = {
  status: 400,
  reason: 'grpc-timeout is malformed',
  flag: '',
};
