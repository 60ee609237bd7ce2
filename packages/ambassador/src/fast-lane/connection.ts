import type { Socket } from 'node:net';
import type { AnswerSink } from '../answer-sink.ts';
import type { Watched } from '../clock.ts';
import { Exchange } from '../exchange.ts';
import { forwardingOf } from '../forwarding.ts';
import { AnswerWriter } from '../http/answer-writer.ts';
import type { Forwarding } from '../http/canonical-request.ts';
import { type AnswerFraming, answerText, informationalText } from '../http/canonical-response.ts';
import { ownAnswerText } from '../http/own-answer.ts';
import type { ResponseHead } from '../http/response-head.ts';
import { LINGER } from '../linger.ts';
import type { Runtime } from '../runtime.ts';
import { Read, RequestReader } from './request-reader.ts';

/** What a connection needs of its listener. */
export interface FastLaneHost {
  readonly runtime: Runtime;
  readonly draining: boolean;
  /** Takes the connection over, with the octets that nobody has read. */
  toFullLane(socket: Socket, unread: Buffer): void;
  onClosed(connection: FastLaneConnection): void;
}

/**
 * One client's connection in the fast lane: requests one after the other, each recognised in
 * full or handed over with its connection to the full lane.
 */
export class FastLaneConnection implements AnswerSink, Watched {
  readonly #socket: Socket;
  readonly #host: FastLaneHost;
  readonly #exchange: Exchange;
  readonly #reader = new RequestReader();
  readonly #writer: AnswerWriter;
  #forwarding: Forwarding;
  #headSince = 0;
  #idleSince: number;
  #keepAlive = true;
  #bodyAllowed = false;
  #lingerUntil = 0;
  #handedOver = false;

  constructor(socket: Socket, host: FastLaneHost) {
    this.#socket = socket;
    this.#host = host;
    this.#forwarding = forwardingOf(socket, host.runtime);
    this.#exchange = new Exchange(this, host.runtime);
    this.#writer = new AnswerWriter(socket);
    this.#idleSince = host.runtime.clock.now;
    socket.on('data', this.#onData);
    socket.on('drain', this.#onDrain);
    socket.on('end', this.#onEnd);
    socket.on('close', this.#onClose);
    host.runtime.clock.watch(this);
  }

  /** Whether it has no request under way. */
  get idle(): boolean {
    return !this.#exchange.active && this.#reader.unread === undefined;
  }

  /** When it became idle, in milliseconds of the clock. */
  get idleSince(): number {
    return this.#idleSince;
  }

  destroy(): void {
    this.#socket.destroy();
  }

  readonly #onData = (chunk: Buffer): void => {
    if (this.#lingerUntil !== 0) return;
    const reader = this.#reader;
    if (reader.bodyLeft > 0) {
      this.#sendBody(reader.takeBody(chunk));
      return;
    }
    const room = reader.keep(chunk);
    if (!this.#exchange.active) this.#next();
    else if (!room) this.#socket.pause();
  };

  /** Starts the next request of what is unread. */
  #next() {
    const reader = this.#reader;
    const { runtime } = this.#host;
    const read = reader.next();
    if (read === Read.foreign) {
      this.#handOver(reader.unread!);
      return;
    }
    if (read === Read.partial) {
      this.#headSince ||= runtime.clock.now;
      return;
    }
    this.#headSince = 0;
    this.#bodyAllowed = false;
    this.#keepAlive = reader.head.keepAlive;
    if (reader.bodyLeft > 0) this.#socket.pause();
    if (runtime !== this.#exchange.runtime) {
      this.#exchange.runtime = runtime;
      this.#forwarding = forwardingOf(this.#socket, runtime);
    }
    const { body } = reader;
    reader.body = undefined;
    this.#exchange.start(reader.head, this.#forwarding, body);
  }

  #handOver(unread: Buffer) {
    this.#handedOver = true;
    this.#reader.unread = undefined;
    const socket = this.#socket;
    socket.off('data', this.#onData);
    socket.off('drain', this.#onDrain);
    socket.off('end', this.#onEnd);
    socket.off('close', this.#onClose);
    this.#leave();
    this.#host.toFullLane(socket, unread);
  }

  #leave() {
    this.#host.runtime.clock.forget(this);
    this.#host.onClosed(this);
  }

  #sendBody(piece: Buffer) {
    if (!this.#exchange.sendBody(piece)) this.#socket.pause();
    if (this.#reader.bodyLeft === 0) this.#exchange.endBody([]);
  }

  onUpstreamReady(): void {
    this.#bodyAllowed = true;
    this.#socket.resume();
  }

  onUpstreamDrain(): void {
    if (this.#reader.bodyLeft > 0 && this.#bodyAllowed) this.#socket.resume();
  }

  inform(head: ResponseHead): void {
    // Only the full lane passes an Expect on: nobody here waits for a 100.
    if (head.status !== 100) this.#socket.write(informationalText(head), 'latin1');
  }

  mustClose(): boolean {
    if (this.#host.draining) this.#keepAlive = false;
    return !this.#keepAlive;
  }

  answer(head: ResponseHead, fields: readonly string[], framing: AnswerFraming): void {
    this.#keepAlive = !framing.close;
    this.#writer.begin(answerText(head.status, head.reason, fields), framing.chunked);
  }

  answerBody(buffer: Buffer, start: number, end: number): number {
    return this.#writer.body(buffer, start, end);
  }

  answerWritten(): boolean {
    return this.#socket.writableLength === 0;
  }

  answerEnd(trailers: readonly string[]): void {
    this.#writer.end(trailers);
    this.#finish();
  }

  refuse(status: number, reason: string, retryAfter: number): void {
    if (this.#reader.bodyLeft > 0 || status === 413) this.#keepAlive = false;
    const close = this.mustClose();
    const { requestId } = this.#exchange.ids;
    const head = this.#exchange.head.method === 'HEAD';
    this.#socket.write(
      ownAnswerText(status, reason, { retryAfter, requestId, close, head }),
      'latin1',
    );
    this.#finish();
  }

  flush(): void {
    this.#writer.flush();
  }

  abort(): boolean {
    const unsent = this.#writer.drop();
    if (!unsent) this.#socket.destroy();
    else this.#keepAlive = false;
    return unsent;
  }

  /** The answer is whole: on to the next request, or to the end. */
  #finish() {
    const socket = this.#socket;
    if (!this.#keepAlive) {
      this.#reader.unread = undefined;
      socket.end();
      this.#lingerUntil = this.#host.runtime.clock.now + LINGER;
      socket.resume();
      return;
    }
    this.#idleSince = this.#host.runtime.clock.now;
    if (socket.isPaused()) socket.resume();
    if (this.#reader.unread !== undefined) queueMicrotask(() => this.#resumePipeline());
  }

  #resumePipeline() {
    if (
      this.#reader.unread === undefined ||
      this.#exchange.active ||
      this.#socket.destroyed ||
      this.#handedOver
    )
      return;
    this.#next();
  }

  readonly #onDrain = (): void => {
    this.#exchange.resume();
  };

  /** A client that ends its side gives up its request, as with nginx. */
  readonly #onEnd = (): void => {
    if (this.#exchange.active) this.#socket.destroy();
  };

  readonly #onClose = (): void => {
    this.#exchange.cancel();
    this.#leave();
  };

  check(now: number): void {
    if (this.#lingerUntil !== 0) {
      if (now > this.#lingerUntil) this.#socket.destroy();
      return;
    }
    if (this.#exchange.active) {
      this.#exchange.check(now);
      return;
    }
    const { timeouts } = this.#host.runtime;
    if (this.#headSince !== 0) {
      if (now - this.#headSince > timeouts.headers) {
        this.#socket.end(
          ownAnswerText(408, 'the request head did not come in time', { close: true }),
          'latin1',
        );
        this.#lingerUntil = now + LINGER;
      }
    } else if (now - this.#idleSince > timeouts.keepAlive) this.#socket.destroy();
  }
}
