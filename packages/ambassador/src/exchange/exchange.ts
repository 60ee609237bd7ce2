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
import { parseLength } from '../http/characters.ts';
import { FieldKind } from '../http/field-kind.ts';
import type { RequestHead } from '../http/request-head.ts';
import { Framing, type ResponseHead } from '../http/response-head.ts';
import { hasDotSegment } from '../http/route-table.ts';
import { SMALL } from '../http/small.ts';
import { freeBytes } from '../memory/free-bytes.ts';
import type { Flow } from '../memory/memory-budget.ts';
import type { LentBytes } from '../memory/read-buffer.ts';
import type { ExchangeRecord } from '../observe/exchange-record.ts';
import type { Watched } from '../time/clock.ts';
import type { Endpoint } from '../upstream/endpoint.ts';
import { InvalidResponse, type ResponseReceiver } from '../upstream/response-receiver.ts';
import type { UpstreamStream } from '../upstream/upstream-stream.ts';
import { clientKey } from './client-rate-limit.ts';
import { ConnectionSearch, type ConnectionUser } from './connection-search.ts';
import { identify } from './identifiers.ts';
import { RequestBody } from './request-body.ts';
import type { ResponseSink } from './response-sink.ts';
import { isIdempotent } from './retry.ts';
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
  readonly #sink: ResponseSink;
  #http11 = true;
  #request!: CanonicalRequest;
  readonly #body: RequestBody;
  readonly #search: ConnectionSearch = new ConnectionSearch(this);
  #stream: UpstreamStream | undefined;
  #phase: Phase = Phase.idle;
  #retried = false;
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
    this.#sink = sink;
    this.listener = this.runtime = runtime;
    this.#body = new RequestBody(runtime.memory);
  }

  /** The endpoint that was tried last. */
  get endpoint(): Endpoint | undefined {
    return this.#search.endpoint;
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
    this.ids = identify(head.fields);
    this.startedAt = performance.now();
    this.status = 0;
    this.flags = '';
    this.bytesIn = firstBody === undefined ? 0 : firstBody.length;
    this.bytesOut = 0;
    this.clientAddress = forwarding.clientAddress;
    this.#search.reset(runtime, this.startedAt);
    this.#http11 = http11;
    const repeatable = isIdempotent(head.method) && extras?.upgrade === undefined;
    this.#body.begin(head.contentLength, firstBody, repeatable);
    this.#retried = false;
    this.#responded = false;
    this.#tunnel = false;
    this.#bodyBlocked = true;
    this.#responseBlocked = false;
    this.#phase = Phase.connecting;
    this.#since = this.#lastActivity = this.startedAt;
    runtime.observer.begin();
    if (head.contentLength > runtime.maxBody) {
      this.#replyLocally(413, 'the body is larger than allowed', '');
      return;
    }
    if (forwarding.denied) {
      this.#replyLocally(403, 'the client certificate has no allowed name', '');
      return;
    }
    if (listener.routes !== undefined && !this.#isRouted(route)) return;
    if (this.#replyAsLastHop(runtime.via)) return;
    const size = head.contentLength;
    const unbounded = size === -1 || size > SMALL || extras?.upgrade !== undefined;
    if (unbounded && runtime.memory.exhausted) {
      this.#replyLocally(503, 'the memory for bodies is used up', 'OM', 1);
      return;
    }
    if (listener.rateLimit !== undefined || runtime.rateLimit !== undefined) {
      const wait =
        listener.rateLimit?.take(this.startedAt) || (route?.rateLimit?.take(this.startedAt) ?? 0);
      if (wait > 0) {
        this.#replyLocally(429, 'too many requests', 'RL', Math.ceil(wait / 1000));
        return;
      }
    }
    if (listener.clientRateLimit !== undefined) {
      const wait = listener.clientRateLimit.take(this.#clientKey(forwarding), this.startedAt);
      if (wait > 0) {
        this.#replyLocally(429, 'too many requests', 'RL', Math.ceil(wait / 1000));
        return;
      }
    }
    this.#request = canonicalRequest(head, forwarding, runtime, this.ids, extras);
    if (size === -1 || size > this.bytesIn) this.#join();
    runtime.retryBudget.request(this.startedAt);
    this.#search.start(true);
  }

  /** Refuses a request that no route, or more than one, could be meant by. */
  #isRouted(route: Runtime | undefined): boolean {
    if (hasDotSegment(this.head.target)) {
      this.#replyLocally(400, 'the path has a dot segment', '');
      return false;
    }
    if (route === undefined && this.listener.cluster.options.upstreams.length === 0) {
      this.#replyLocally(404, 'no route matches', 'NR');
      return false;
    }
    return true;
  }

  /** Tells clients apart, for the rate limit. */
  #clientKey({ trusted, clientAddress }: Forwarding): string {
    const { clientRateHeader } = this.listener;
    if (!trusted || clientRateHeader === undefined) return clientKey(clientAddress);
    const { names, values } = this.head.fields;
    const at = names.findLastIndex((name) => name.toLowerCase() === clientRateHeader);
    return at === -1
      ? clientKey(clientAddress)
      : clientKey(values[at]!.split(',').at(-1)!.trim().slice(0, 64));
  }

  /** Replies to a request that must not be forwarded (RFC 9110 §7.6.2, RFC 5842 §7.2). */
  #replyAsLastHop(via: string): boolean {
    const { kinds, values } = this.head.fields;
    const { method } = this.head;
    for (let i = 0; i < kinds.length; i++) {
      if (kinds[i] === FieldKind.via && values[i]!.includes(via)) {
        this.#replyLocally(508, 'the request came back to this proxy', 'LD');
        return true;
      }
      if (kinds[i] === FieldKind.maxForwards && parseLength(values[i]!) === 0) {
        if (method === 'OPTIONS') this.#replyLocally(204, 'Max-Forwards is 0', '');
        else if (method === 'TRACE') this.#replyLocally(405, 'Max-Forwards is 0', '');
        else continue;
        return true;
      }
    }
    return false;
  }

  /** Sends a piece of the body, which is then the exchange's; false asks for `pauseBody`. */
  sendBody(chunk: Buffer): boolean {
    const stream = this.#stream;
    if (stream === undefined && !this.active) {
      freeBytes(chunk);
      return true;
    }
    this.bytesIn += chunk.length;
    this.#lastActivity = this.runtime.clock.now;
    if (this.#tunnel) {
      this.#bodyBlocked = !(stream?.sendTunnel(chunk) ?? true);
      return !this.#bodyBlocked && !this.#held;
    }
    if (this.head.contentLength === -1 && this.bytesIn > this.runtime.maxBody) {
      this.#fail(413, 'the body is larger than allowed', '');
      return true;
    }
    if (chunk.length > 0) this.#bodyBlocked = !this.#body.take(chunk, stream);
    return !this.#bodyBlocked && !this.#held;
  }

  /** The body is complete. */
  endBody(trailers: readonly string[]): void {
    const stream = this.#stream;
    if (this.#tunnel) stream?.endTunnel();
    else if (this.active) {
      this.#body.end(trailers, stream);
      this.#since = this.runtime.clock.now;
    }
  }

  /** Ends the exchange because the client went away. */
  cancel(): void {
    if (this.#phase === Phase.idle) return;
    this.flags = this.#tunnel ? '' : 'DC';
    this.#releaseUpstream();
    if (this.status === 0) this.status = 499;
    this.#end();
  }

  /** The client accepts data again. */
  resume(): void {
    this.#lastActivity = this.runtime.clock.now;
    this.#responseBlocked = false;
    if (!this.#held) this.#stream?.resume();
  }

  holdReading(): void {
    this.#held = true;
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
    this.#replyLocally(status, reason, flag);
  }

  onInformational(head: ResponseHead): void {
    this.#lastActivity = this.runtime.clock.now;
    if (this.#http11) this.#sink.sendInformational(head);
  }

  onHead(head: ResponseHead): void {
    // The upstream timed the connection out while the request was on its way (RFC 9110 §15.5.9).
    if (head.status === 408 && this.#stream!.reused) {
      const stream = this.#stream!;
      this.#stream = undefined;
      stream.destroy();
      if (!this.#retry()) this.#fail(502, 'the upstream closed its idle connection', 'UF');
      return;
    }
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
    this.#search.release(this.status < 500);
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
    const invalid = error instanceof InvalidResponse;
    // The upstream closed it as idle while we wrote: most likely it has not seen the request.
    const unseen = !invalid && !this.#responded && stream?.reused && !stream.responding;
    if (!unseen || !this.#retry()) this.#fail(502, error.message, 'UF');
  }

  /** Sends the request once more, if it is repeatable and the budget allows it. */
  #retry(): boolean {
    if (this.#retried || !this.#body.repeatable || !this.runtime.retryBudget.take()) return false;
    this.#retried = true;
    this.#bodyBlocked = true;
    this.runtime.observer.retries.inc();
    this.#search.release(true);
    this.#phase = Phase.connecting;
    this.#since = this.runtime.clock.now;
    this.#search.start(false);
    return true;
  }

  check(now: number): void {
    const { timeouts } = this.runtime;
    if (this.#phase === Phase.idle) return;
    if (timeouts.total > 0 && now - this.startedAt > timeouts.total && !this.#tunnel)
      this.#fail(504, 'the total timeout has passed', 'UT');
    else if (
      this.#phase === Phase.waiting &&
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
    if (this.#sink.fail()) {
      this.#replyLocally(status, reason, flag);
      return;
    }
    this.runtime.observer.failed(this, reason);
    this.#end();
  }

  #replyLocally(status: number, reason: string, flag: string, retryAfter = 0) {
    this.status = status;
    this.flags = flag;
    this.#responded = true;
    if (flag !== '' && flag !== 'RL') this.runtime.observer.failed(this, reason);
    this.#end();
    this.#sink.sendLocalReply(status, reason, retryAfter);
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

/**
 * How long a peer may make no progress while other exchanges wait for the memory that it occupies,
 * in milliseconds.
 */
const STALLED = 15_000;

const TUNNEL: ResponseFraming = { chunked: false, close: false, keepAlive: false };
