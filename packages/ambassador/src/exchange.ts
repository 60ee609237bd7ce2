import { type AnswerSink, Taken } from './answer-sink.ts';
import type { Watched } from './clock.ts';
import { ConnectionSearch, type Searcher } from './connection-search.ts';
import {
  type ConnectionWishes,
  canonicalRequest,
  type Forwarding,
  type RequestIds,
} from './http/canonical-request.ts';
import { type AnswerFraming, answerFraming, canonicalFields } from './http/canonical-response.ts';
import type { RequestHead } from './http/request-head.ts';
import type { ResponseHead } from './http/response-head.ts';
import { identify } from './observe/identifiers.ts';
import { RequestBody } from './request-body.ts';
import { isIdempotent } from './retry.ts';
import type { Runtime } from './runtime.ts';
import { InvalidResponse, UPGRADE, type UpstreamConnection } from './upstream/connection.ts';
import type { Endpoint } from './upstream/endpoint.ts';
import type { ResponseReceiver } from './upstream/response-receiver.ts';

const Phase = { idle: 0, connecting: 1, waiting: 2, streaming: 3 } as const;

/**
 * One request and its answer, over as many tries as the promises on retries allow. A lane makes
 * one for each of its connections or requests and may start it again once it has ended.
 */
export class Exchange implements ResponseReceiver, Searcher, Watched {
  runtime: Runtime;
  head!: RequestHead;
  ids!: RequestIds;
  status = 0;
  /** Envoy-style: UF, UT, UO, UH, DC, RL; empty where all went well. */
  flags = '';
  bytesIn = 0;
  bytesOut = 0;
  startedAt = 0;
  clientAddress = '';
  readonly #sink: AnswerSink;
  #wishes: ConnectionWishes | undefined;
  #http11 = true;
  #text = '';
  readonly #body = new RequestBody();
  readonly #search: ConnectionSearch = new ConnectionSearch(this);
  #connection: UpstreamConnection | undefined;
  #phase: number = Phase.idle;
  #retried = false;
  #answered = false;
  #tunnel = false;
  /** Since when it waits for a connection, or for the answer. */
  #since = 0;
  #lastActivity = 0;

  constructor(sink: AnswerSink, runtime: Runtime) {
    this.#sink = sink;
    this.runtime = runtime;
  }

  /** Where it went last. */
  get endpoint(): Endpoint | undefined {
    return this.#search.endpoint;
  }

  get active(): boolean {
    return this.#phase !== Phase.idle;
  }

  /**
   * Starts an exchange.
   * @param firstBody the body, or what came of it with the head.
   */
  start(
    head: RequestHead,
    forwarding: Forwarding,
    firstBody: Buffer | undefined,
    wishes?: ConnectionWishes,
    http11 = true,
  ): void {
    const { runtime } = this;
    this.head = head;
    this.ids = identify(head.fields);
    this.startedAt = performance.now();
    this.status = 0;
    this.flags = '';
    this.bytesIn = firstBody === undefined ? 0 : firstBody.length;
    this.bytesOut = 0;
    this.clientAddress = forwarding.clientAddress;
    this.#search.reset(runtime, this.startedAt);
    this.#wishes = wishes;
    this.#http11 = http11;
    const repeatable = isIdempotent(head.method) && wishes?.upgrade === undefined;
    this.#body.begin(head.contentLength, firstBody, repeatable);
    this.#retried = false;
    this.#answered = false;
    this.#tunnel = false;
    this.#phase = Phase.connecting;
    this.#since = this.#lastActivity = this.startedAt;
    runtime.observer.begin();
    if (head.contentLength > runtime.maxBody) {
      this.#refuse(413, 'the body is larger than allowed', '');
      return;
    }
    if (runtime.rateLimit !== undefined) {
      const wait = runtime.rateLimit.take(this.startedAt);
      if (wait > 0) {
        this.#refuse(429, 'too many requests', 'RL', Math.ceil(wait / 1000));
        return;
      }
    }
    this.#text = canonicalRequest(head, forwarding, this.ids, wishes);
    runtime.budget.request(this.startedAt);
    this.#search.start(true);
  }

  /** Sends a piece of the body; false asks to wait for `onUpstreamDrain`. */
  sendBody(chunk: Buffer): boolean {
    const connection = this.#connection;
    if (connection === undefined && !this.active) return true;
    this.bytesIn += chunk.length;
    this.#lastActivity = this.runtime.clock.now;
    if (this.#tunnel) return connection === undefined || connection.socket.write(chunk);
    if (this.head.contentLength === -1 && this.bytesIn > this.runtime.maxBody) {
      this.#failed(413, 'the body is larger than allowed', '');
      return true;
    }
    return chunk.length === 0 || this.#body.take(chunk, connection);
  }

  /** The body is whole. */
  endBody(trailers: readonly string[]): void {
    const connection = this.#connection;
    if (this.#tunnel) connection?.socket.end();
    else if (this.active) {
      this.#body.end(trailers, connection);
      this.#since = this.runtime.clock.now;
    }
  }

  /** The client is gone: nothing of this exchange is of use to anyone. */
  cancel(): void {
    if (this.#phase === Phase.idle) return;
    this.flags = this.#tunnel ? '' : 'DC';
    this.#drop();
    if (this.status === 0) this.status = 499;
    this.#end();
  }

  /** The client takes octets again. */
  resume(): void {
    this.#lastActivity = this.runtime.clock.now;
    this.#connection?.resume();
  }

  onFound(connection: UpstreamConnection): void {
    this.#phase = Phase.waiting;
    this.#connection = connection;
    this.#since = this.#lastActivity = this.runtime.clock.now;
    connection.begin(this, this.#wishes?.upgrade === undefined ? this.head.method : UPGRADE);
    if (this.#body.sendWith(this.#text, connection)) return;
    this.#sink.onUpstreamReady();
    if (this.#retried) this.#sink.onUpstreamDrain();
  }

  onNoneFound(status: number, reason: string, flag: string): void {
    this.#refuse(status, reason, flag);
  }

  onInformational(head: ResponseHead): void {
    this.#lastActivity = this.runtime.clock.now;
    if (this.#http11) this.#sink.inform(head);
  }

  onHead(head: ResponseHead): void {
    this.status = head.status;
    this.#answered = true;
    this.#phase = Phase.streaming;
    this.#tunnel = head.status === 101;
    this.#lastActivity = this.runtime.clock.now;
    // Before the body is whole the connection can't be used again, on either side.
    const early = !this.#connection!.requestSent && !this.#tunnel;
    const framing = this.#tunnel
      ? TUNNEL
      : answerFraming(head, this.#http11, early || this.#sink.mustClose());
    this.#sink.answer(head, canonicalFields(head, this.ids.requestId, framing), framing);
  }

  onBody(buffer: Buffer, start: number, end: number): void {
    this.bytesOut += end - start;
    const connection = this.#connection!;
    // A client that keeps up never drains: what it has been given is looked after here.
    if (connection.lends && this.#sink.answerWritten()) connection.reuse();
    const taken = this.#sink.answerBody(buffer, start, end);
    if (taken !== Taken.written) {
      connection.keep();
      if (taken === Taken.full) connection.socket.pause();
    }
    this.#lastActivity = this.runtime.clock.now;
  }

  onMoreToCome(): void {
    this.#sink.flush();
  }

  onEnd(trailers: readonly string[]): void {
    this.#connection = undefined;
    this.#search.release(this.status < 500);
    this.#end();
    this.#sink.answerEnd(trailers);
  }

  onDrain(): void {
    this.#lastActivity = this.runtime.clock.now;
    this.#sink.onUpstreamDrain();
  }

  onLost(error: Error): void {
    const connection = this.#connection;
    this.#connection = undefined;
    const invalid = error instanceof InvalidResponse;
    if (
      !invalid &&
      !this.#answered &&
      !this.#retried &&
      this.#body.repeatable &&
      connection !== undefined &&
      connection.uses > 1 &&
      !connection.answering &&
      this.runtime.budget.take()
    ) {
      // It was closing while we wrote: the upstream has most likely not seen the request.
      this.#retried = true;
      this.runtime.observer.retries.inc();
      this.#search.release(true);
      this.#phase = Phase.connecting;
      this.#since = this.runtime.clock.now;
      this.#search.start(false);
      return;
    }
    this.#failed(502, error.message, 'UF');
  }

  check(now: number): void {
    const { timeouts } = this.runtime;
    if (this.#phase === Phase.idle) return;
    if (timeouts.total > 0 && now - this.startedAt > timeouts.total && !this.#tunnel)
      this.#failed(504, 'the total timeout has passed', 'UT');
    else if (
      this.#phase === Phase.waiting &&
      this.#connection?.requestSent &&
      now - Math.max(this.#since, this.#lastActivity) > timeouts.response
    )
      this.#failed(504, 'the upstream did not answer in time', 'UT');
    else if (this.#phase >= Phase.waiting && now - this.#lastActivity > timeouts.streamIdle)
      this.#failed(504, 'nothing moved for too long', 'UT');
    else if (this.#phase === Phase.connecting && now - this.#since > timeouts.queue)
      this.#failed(503, 'no connection was free in time', 'UO');
  }

  /** Ends with an error of the upstream: an answer of ours where none was begun. */
  #failed(status: number, reason: string, flag: string) {
    this.#drop();
    if (!this.#answered) {
      this.#refuse(status, reason, flag);
      return;
    }
    this.flags = flag;
    if (this.#sink.abort()) {
      this.#refuse(status, reason, flag);
      return;
    }
    this.runtime.observer.failed(this, reason);
    this.#end();
  }

  #refuse(status: number, reason: string, flag: string, retryAfter = 0) {
    this.status = status;
    this.flags = flag;
    this.#answered = true;
    if (flag !== '' && flag !== 'RL') this.runtime.observer.failed(this, reason);
    this.#end();
    this.#sink.refuse(status, reason, retryAfter);
  }

  /** Leaves the upstream, wherever the exchange was. */
  #drop() {
    this.#connection?.abandon();
    this.#connection = undefined;
    this.#search.stop(this.flags === 'DC');
  }

  #end() {
    this.#phase = Phase.idle;
    this.#body.clear();
    this.runtime.observer.end(this);
  }
}

const TUNNEL: AnswerFraming = { chunked: false, close: false };
