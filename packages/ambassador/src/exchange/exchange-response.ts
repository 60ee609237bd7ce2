import { GrpcStatus, isServerFailure, statusOfHttp } from '../grpc/status.ts';
import type { WebCall } from '../grpc/web-call.ts';
import { WebSink } from '../grpc/web-sink.ts';
import {
  canonicalResponseFields,
  type ResponseFraming,
  responseFraming,
} from '../http/canonical-response.ts';
import { grpcTrailers, localMessage } from '../http/local-reply.ts';
import { Framing, type ResponseHead } from '../http/response-head.ts';
import { SMALL } from '../http/small.ts';
import type { LentBytes } from '../memory/lent-bytes.ts';
import type { Endpoint } from '../upstream/endpoint.ts';
import { ExchangeFacts } from './exchange-facts.ts';
import { type Directions, ExchangeFlow } from './exchange-flow.ts';
import { Phase, Progress } from './progress.ts';
import { RequestBody } from './request-body.ts';
import type { ReplyOptions, ResponseSink } from './response-sink.ts';
import type { Runtime } from './runtime.ts';
import { Tries, type TriesOwner } from './tries.ts';

export const NOTHING: readonly string[] = [];
const TUNNEL: ResponseFraming = { chunked: false, close: false, keepAlive: false };

/**
 * Carries the one response of an exchange to the sink of its lane: that of the tries, or a local
 * reply; or breaks it off.
 */
export abstract class ExchangeResponse extends ExchangeFacts implements Directions, TriesOwner {
  protected http11 = true;
  protected readonly body: RequestBody;
  protected readonly progress: Progress = new Progress();
  protected readonly flow: ExchangeFlow;
  protected readonly tries: Tries;
  /** The sink of the lane. */
  readonly #lane: ResponseSink;
  /** The sink of the current request: the lane's, or a translation in front of it. */
  #sink: ResponseSink;
  /** The sink, if it translates to gRPC-Web. */
  #web: WebSink | undefined;

  constructor(sink: ResponseSink, runtime: Runtime) {
    super(runtime);
    this.#lane = this.#sink = sink;
    const body = new RequestBody(runtime.memory);
    const flow = new ExchangeFlow(this);
    this.body = body;
    this.flow = flow;
    this.tries = new Tries(this, { body, flow, progress: this.progress });
  }

  /** The endpoint that was tried last. */
  get endpoint(): Endpoint | undefined {
    return this.tries.endpoint;
  }

  get protocol(): string {
    return this.#sink.protocol;
  }

  get active(): boolean {
    return this.progress.phase !== Phase.idle;
  }

  /** Begins with a new request. @param web the translation of its response, if it needs one. */
  protected beginResponse(http11: boolean, web: WebCall | undefined): void {
    this.http11 = http11;
    this.#web = web && new WebSink(web, this.#lane, (reason) => this.onFailed(502, reason, 'UF'));
    this.#sink = this.#web ?? this.#lane;
  }

  pauseRequest(): void {
    // Memory that is used up is not for another try.
    if (this.tries.connected) this.body.clear();
    this.#sink.pauseBody();
  }

  resumeRequest(): void {
    this.#sink.resumeBody();
  }

  pauseResponse(): void {
    this.tries.pause();
  }

  resumeResponse(): void {
    this.tries.resume();
  }

  /** The client accepts data again. */
  resume(): void {
    this.progress.lastActivity = this.runtime.clock.now;
    this.flow.responseDrained();
  }

  onBodyWanted(): void {
    this.#sink.resumeBody();
  }

  onUnavailable(status: number, reason: string, flag: string): void {
    // Not even a timeout is the deadline's: the call has not begun.
    this.replyLocally(status, reason, flag, { grpcStatus: GrpcStatus.unavailable });
  }

  onInformational(head: ResponseHead): void {
    if (this.http11) this.#sink.sendInformational(head);
  }

  onHead(head: ResponseHead): void {
    this.status = head.status;
    const tunnel = head.status === 101;
    this.progress.tunnel = tunnel;
    // With an incomplete body neither connection can be used again.
    const early = !this.tries.requestSent && !tunnel;
    const framing = tunnel
      ? TUNNEL
      : responseFraming(head, this.http11, early || this.#sink.mustClose());
    if (tunnel || head.framing >= Framing.chunked || head.contentLength > SMALL)
      this.flow.join(this.runtime.memory);
    const fields = canonicalResponseFields(head, this.ids.requestId, framing);
    this.#sink.sendHead(head, this.runtime.responseHeaders?.apply(fields) ?? fields, framing);
  }

  onBody(lent: LentBytes, start: number, end: number): void {
    this.bytesOut += end - start;
    if (!this.flow.responseTaken(this.#sink.sendBodyPiece(lent, start, end))) this.tries.pause();
  }

  onMoreToCome(): void {
    this.#sink.flush();
  }

  onEnd(trailers: readonly string[]): void {
    if (this.#web?.incomplete) {
      this.onFailed(502, 'the response ends within a message', 'UF');
      return;
    }
    this.call?.readTrailers(trailers);
    this.tries.release(this.status < 500 && !isServerFailure(this.grpcStatus ?? 0));
    this.end();
    this.#sink.sendEnd(trailers);
  }

  /** Ends with an error; sends a local reply if no response has begun. */
  onFailed(status: number, reason: string, flag: string): void {
    // Clients must not be able to eject endpoints by what they send, or how slowly they read.
    this.tries.cancel(flag.startsWith('U') ? false : undefined);
    if (!this.tries.responded) {
      this.replyLocally(status, reason, flag);
      return;
    }
    this.flags = flag;
    let trailers = NOTHING;
    if (this.call) {
      this.call.status = statusOfHttp(status);
      trailers = grpcTrailers(this.call.status, localMessage(status, reason));
    }
    if (this.#sink.discardHead()) {
      this.replyLocally(status, reason, flag);
      return;
    }
    if (flag !== '') this.runtime.observer.failed(this, reason);
    this.end();
    this.#sink.breakOff(trailers);
  }

  protected replyLocally(
    status: number,
    reason: string,
    flag: string,
    options: ReplyOptions = {},
  ): void {
    this.status = status;
    this.flags = flag;
    if (flag !== '' && flag !== 'RL') this.runtime.observer.failed(this, reason);
    const { retryAfter, fields } = options;
    let grpcStatus: number | undefined;
    if (this.call) {
      grpcStatus = options.grpcStatus ?? statusOfHttp(status);
      this.call.status = grpcStatus;
      this.status = 200;
    }
    this.end();
    this.#sink.sendLocalReply(status, reason, { retryAfter, grpcStatus, fields });
  }

  protected end(): void {
    this.progress.phase = Phase.idle;
    this.flow.leave();
    this.body.clear();
    this.runtime.observer.end(this);
  }
}
