import { type AnswerSink, Taken } from './answer-sink.ts';
import type { Watched } from './clock.ts';
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
import { connectPause, isIdempotent } from './retry.ts';
import type { Runtime } from './runtime.ts';
import { InvalidResponse, UPGRADE, type UpstreamConnection } from './upstream/connection.ts';
import { ConnectTimeout, type Endpoint, type Waiter } from './upstream/endpoint.ts';
import type { ResponseReceiver } from './upstream/response-receiver.ts';

const Phase = { idle: 0, connecting: 1, waiting: 2, streaming: 3 } as const;

/**
 * One request and its answer, over as many tries as the promises on retries allow. A lane makes
 * one for each of its connections or requests and may start it again once it has ended.
 */
export class Exchange implements ResponseReceiver, Waiter, Watched {
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
  endpoint: Endpoint | undefined;
  readonly #sink: AnswerSink;
  #wishes: ConnectionWishes | undefined;
  #http11 = true;
  #text = '';
  readonly #body = new RequestBody();
  #connection: UpstreamConnection | undefined;
  #phase: number = Phase.idle;
  #tries = 0;
  #retried = false;
  #answered = false;
  #tunnel = false;
  /** Since when it waits for a connection, or for the answer. */
  #since = 0;
  #lastActivity = 0;
  #retryTimer: NodeJS.Timeout | undefined;
  /** Whether the endpoint counts this exchange as pending. */
  #counted = false;

  constructor(sink: AnswerSink, runtime: Runtime) {
    this.#sink = sink;
    this.runtime = runtime;
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
    this.endpoint = undefined;
    this.#wishes = wishes;
    this.#http11 = http11;
    const repeatable = isIdempotent(head.method) && wishes?.upgrade === undefined;
    this.#body.begin(head.contentLength, firstBody, repeatable);
    this.#tries = 0;
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
    this.#try(undefined, true);
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

  onConnection(connection: UpstreamConnection): void {
    if (this.#phase !== Phase.connecting) {
      // Given up in the meantime.
      connection.abandon();
      return;
    }
    this.#phase = Phase.waiting;
    this.#connection = connection;
    this.#since = this.#lastActivity = this.runtime.clock.now;
    connection.begin(this, this.#wishes?.upgrade === undefined ? this.head.method : UPGRADE);
    if (this.#body.sendWith(this.#text, connection)) return;
    this.#sink.onUpstreamReady();
    if (this.#retried) this.#sink.onUpstreamDrain();
  }

  onConnectFailed(error: Error): void {
    const { runtime, endpoint } = this;
    this.#release(false);
    const now = performance.now();
    const { retry } = runtime;
    // Nothing was sent, so any method may be tried again: elsewhere at once, or here after a pause.
    const elsewhere = runtime.cluster.endpoints.length > this.#tries;
    const inTime =
      endpoint !== undefined &&
      now - this.startedAt < retry.connectFor &&
      now - (endpoint.failingSince || now) < retry.connectFor;
    if (elsewhere || inTime) {
      runtime.observer.retries.inc();
      if (elsewhere) this.#try(endpoint, false);
      else {
        this.#retryTimer = setTimeout(() => {
          this.#retryTimer = undefined;
          this.#try(endpoint, false);
        }, connectPause(this.#tries));
      }
      return;
    }
    const late = error instanceof ConnectTimeout;
    this.#refuse(late ? 504 : 502, `no connection: ${error.message}`, late ? 'UT' : 'UF');
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
    this.#release(this.status < 500);
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
      this.#release(true);
      this.#phase = Phase.connecting;
      this.#since = this.runtime.clock.now;
      this.#try(undefined, false);
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

  #try(except: Endpoint | undefined, pooled: boolean) {
    this.#tries++;
    const { cluster } = this.runtime;
    const endpoint = cluster.pick(except);
    if (endpoint === undefined) {
      this.#refuse(503, 'no upstream is healthy', 'UH');
      return;
    }
    this.endpoint = endpoint;
    endpoint.pending++;
    this.#counted = true;
    const connection = pooled ? endpoint.take() : undefined;
    if (connection !== undefined) this.onConnection(connection);
    else if (!endpoint.connect(this)) {
      endpoint.pending--;
      this.#counted = false;
      this.#refuse(503, 'too many requests wait for the upstream', 'UO');
    }
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
    clearTimeout(this.#retryTimer);
    this.#retryTimer = undefined;
    if (this.#connection !== undefined) {
      this.#connection.abandon();
      this.#connection = undefined;
      this.#release(this.flags === 'DC');
      return;
    }
    if (this.#phase === Phase.connecting) this.endpoint?.cancel(this);
    this.#release(this.flags === 'DC');
  }

  #release(good: boolean) {
    const { endpoint } = this;
    if (endpoint === undefined || !this.#counted) return;
    this.#counted = false;
    endpoint.pending--;
    if (!good || endpoint.consecutiveFailures > 0) this.runtime.cluster.judge(endpoint, good);
  }

  #end() {
    this.#phase = Phase.idle;
    this.#body.clear();
    this.runtime.observer.end(this);
  }
}

const TUNNEL: AnswerFraming = { chunked: false, close: false };
