import type { GrpcCall } from '../grpc/call.ts';
import { GrpcStatus } from '../grpc/status.ts';
import type { CanonicalRequest } from '../http/canonical-request.ts';
import type { ResponseHead } from '../http/response-head.ts';
import type { LentBytes } from '../memory/lent-bytes.ts';
import type { Endpoint } from '../upstream/endpoint.ts';
import {
  InvalidResponse,
  type ResponseReceiver,
  UnprocessedRequest,
} from '../upstream/response-receiver.ts';
import type { UpstreamStream } from '../upstream/upstream-stream.ts';
import { Attempts } from './attempts.ts';
import { ConnectionSearch, type ConnectionUser } from './connection-search.ts';
import type { ExchangeFlow } from './exchange-flow.ts';
import { Phase, type Progress } from './progress.ts';
import type { RequestBody } from './request-body.ts';
import type { Runtime } from './runtime.ts';

/** Receives the result of the tries: one response, or the reason why there is none. */
export interface TriesOwner
  extends Pick<
    ResponseReceiver,
    'onInformational' | 'onHead' | 'onBody' | 'onMoreToCome' | 'onEnd'
  > {
  /** The upstream takes the body, which did not arrive completely with the head. */
  onBodyWanted(): void;
  /** No connection is available. */
  onUnavailable(status: number, reason: string, flag: string): void;
  /** No try will succeed, or a response broke. */
  onFailed(status: number, reason: string, flag: string): void;
}

/** The parts of an exchange that the tries work with. */
export interface TriesParts {
  readonly body: RequestBody;
  readonly flow: ExchangeFlow;
  readonly progress: Progress;
}

/** Sends a request upstream, over as many tries as the guarantees on retries allow. */
export class Tries implements ResponseReceiver, ConnectionUser {
  /** Whether the head of the response has been passed on: there is no other try. */
  responded = false;
  readonly #owner: TriesOwner;
  readonly #body: RequestBody;
  readonly #flow: ExchangeFlow;
  readonly #progress: Progress;
  readonly #search: ConnectionSearch = new ConnectionSearch(this);
  readonly #attempts = new Attempts();
  #runtime!: Runtime;
  #request!: CanonicalRequest;
  /** The gRPC call that the request is, if it is one. */
  #call: GrpcCall | undefined;
  #stream: UpstreamStream | undefined;

  constructor(owner: TriesOwner, { body, flow, progress }: TriesParts) {
    this.#owner = owner;
    this.#body = body;
    this.#flow = flow;
    this.#progress = progress;
  }

  /** The endpoint that was tried last. */
  get endpoint(): Endpoint | undefined {
    return this.#search.endpoint;
  }

  /** Whether a connection serves the request. */
  get connected(): boolean {
    return this.#stream !== undefined;
  }

  /** Whether the upstream has the whole request. */
  get requestSent(): boolean {
    return this.#stream?.requestSent ?? false;
  }

  /**
   * Begins with a new request.
   * @param startedAt of the request, in milliseconds. @param http1 whether it needs HTTP/1.1.
   * @param idempotent whether it may be served twice.
   */
  reset(runtime: Runtime, startedAt: number, http1: boolean, idempotent: boolean): void {
    this.#runtime = runtime;
    this.#search.reset(runtime, startedAt, http1);
    this.#attempts.begin(idempotent);
    this.responded = false;
  }

  /** Makes the first try. */
  start(request: CanonicalRequest, call: GrpcCall | undefined, startedAt: number): void {
    this.#request = request;
    this.#call = call;
    this.#runtime.retryBudget.request(startedAt);
    this.#search.start(true);
  }

  /** Sends a piece of the body, and releases it afterwards; false if no more should arrive. */
  sendBody(piece: LentBytes): boolean {
    return this.#body.take(piece, this.#stream);
  }

  endBody(trailers: readonly string[]): void {
    this.#body.end(trailers, this.#stream);
  }

  /** Sends bytes of a tunnel, as `sendBody` does. */
  sendTunnel(piece: LentBytes): boolean {
    return this.#stream?.sendTunnel(piece) ?? true;
  }

  endTunnel(): void {
    this.#stream?.endTunnel();
  }

  pause(): void {
    this.#stream?.pause();
  }

  resume(): void {
    this.#stream?.resume();
  }

  measure(): void {
    this.#stream?.measure?.();
  }

  /**
   * Ends in any phase.
   * @param good whether the endpoint served the request as it should; undefined if that did not show.
   */
  cancel(good: boolean | undefined): void {
    this.#stream?.destroy();
    this.#stream = undefined;
    this.#search.cancel(good);
  }

  /** Releases the endpoint after a response. @param good whether it served it as it should. */
  release(good: boolean): void {
    this.#search.release(good);
  }

  onConnected(stream: UpstreamStream): void {
    this.#stream = stream;
    if (this.#call?.web !== undefined && !stream.http2) {
      // That is no failure of an endpoint which serves other requests.
      this.#search.release(undefined);
      this.#owner.onFailed(502, 'gRPC needs an upstream that chooses HTTP/2', 'UF');
      return;
    }
    this.#progress.phase = Phase.waiting;
    this.#progress.since = this.#progress.lastActivity = this.#runtime.clock.now;
    const reads = this.#flow.requestTaken(this.#body.sendWith(this.#request, stream, this));
    if (!stream.requestSent && reads) this.#owner.onBodyWanted();
  }

  onUnavailable(status: number, reason: string, flag: string): void {
    this.#owner.onUnavailable(status, reason, flag);
  }

  onInformational(head: ResponseHead): void {
    this.#progress.lastActivity = this.#runtime.clock.now;
    this.#owner.onInformational(head);
  }

  onHead(head: ResponseHead): void {
    // The upstream timed the connection out while the request was on its way (RFC 9110 §15.5.9).
    if (head.status === 408 && this.#stream!.reused) {
      if (!this.#retry())
        this.#owner.onFailed(502, 'the upstream closed its idle connection', 'UF');
      return;
    }
    this.#call?.readHead(head);
    const unavailable = this.#call?.status === GrpcStatus.unavailable;
    if (unavailable && this.#runtime.idempotent && this.#retry(true)) return;
    this.#body.clear();
    this.responded = true;
    this.#progress.phase = Phase.streaming;
    this.#progress.lastActivity = this.#runtime.clock.now;
    this.#owner.onHead(head);
  }

  onBody(lent: LentBytes, start: number, end: number): void {
    this.#owner.onBody(lent, start, end);
    this.#progress.lastActivity = this.#runtime.clock.now;
  }

  onMoreToCome(): void {
    this.#owner.onMoreToCome();
  }

  onEnd(trailers: readonly string[]): void {
    this.#stream = undefined;
    this.#owner.onEnd(trailers);
  }

  onDrain(): void {
    this.#progress.lastActivity = this.#runtime.clock.now;
    this.#flow.requestDrained();
  }

  onLost(error: Error): void {
    const stream = this.#stream;
    this.#stream = undefined;
    if (error instanceof UnprocessedRequest) {
      if (!this.responded && this.#attempts.mayResend(this.#body)) this.#repeat();
      else this.#owner.onFailed(502, error.message, 'UF');
      return;
    }
    const invalid = error instanceof InvalidResponse;
    // The upstream closed it as idle while we wrote: most likely it has not seen the request.
    const unseen = (stream?.reused || this.#runtime.idempotent) && !stream?.responding;
    if (invalid || this.responded || !unseen || !this.#retry())
      this.#owner.onFailed(502, error.message, 'UF');
  }

  /**
   * Sends the request once more, if it may be served twice and the budget allows it.
   * @param later whether the upstream needs a pause before.
   */
  #retry(later = false): boolean {
    if (!this.#attempts.mayRepeat(this.#body, this.#runtime.retryBudget)) return false;
    this.#repeat(later);
    return true;
  }

  #repeat(later = false) {
    this.#attempts.count();
    this.#stream?.destroy();
    this.#stream = undefined;
    this.#flow.begin();
    this.#runtime.observer.retries.inc();
    this.#search.release(later ? false : undefined);
    this.#progress.phase = Phase.connecting;
    this.#progress.since = this.#runtime.clock.now;
    if (later) this.#search.startLater();
    else this.#search.start(false);
  }
}
