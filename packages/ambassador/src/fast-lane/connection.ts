import type { Socket } from 'node:net';
import { Exchange } from '../exchange/exchange.ts';
import { forwardingOf } from '../exchange/forwarding.ts';
import type { ReplyOptions, ResponseSink } from '../exchange/response-sink.ts';
import type { Runtime } from '../exchange/runtime.ts';
import type { Forwarding } from '../http/canonical-request.ts';
import {
  informationalText,
  type ResponseFraming,
  responseText,
  withFraming,
} from '../http/canonical-response.ts';
import { LINGER } from '../http/linger.ts';
import { localReplyText } from '../http/local-reply.ts';
import type { ResponseHead } from '../http/response-head.ts';
import { ResponseWriter } from '../http/response-writer.ts';
import { beginsHttp2 } from '../http2/preface.ts';
import { type LentBytes, OwnBytes } from '../memory/lent-bytes.ts';
import { startReading, stopReading } from '../memory/reading.ts';
import { type Incoming, receive } from '../memory/socket-reading.ts';
import { WaitingBytes } from '../memory/waiting-bytes.ts';
import type { Watched } from '../time/clock.ts';
import { Read, RequestReader } from './request-reader.ts';

/** The listener of a connection, as the connection sees it. */
export interface FastLaneHost {
  readonly runtime: Runtime;
  readonly draining: boolean;
  /**
   * Takes the connection over, with the bytes that were not processed.
   * @param behind whether they arrived during the request before them.
   */
  toFullLane(socket: Socket, unread: Buffer, behind: boolean): void;
  toHttp2(socket: Socket, unread: Buffer): void;
  onClosed(connection: FastLaneConnection): void;
}

/**
 * Serves one client's connection in the fast lane. A request that is not recognized in full is
 * handed over, with its connection, to the full lane.
 */
export class FastLaneConnection implements ResponseSink, Watched {
  readonly protocol = 'HTTP/1.1';
  readonly #socket: Socket;
  readonly #host: FastLaneHost;
  readonly #exchange: Exchange;
  readonly #reader = new RequestReader();
  readonly #writer: ResponseWriter;
  #forwarding: Forwarding;
  #headSince = 0;
  #idleSince: number;
  #keepAlive = true;
  /** Pipelined requests that wait. */
  readonly #waiting: WaitingBytes;
  #lingerUntil = 0;
  #handedOver = false;
  /** Whether no request has arrived yet. */
  #first = true;
  readonly #stopReceiving: () => void;

  constructor(socket: Socket, host: FastLaneHost) {
    this.#socket = socket;
    this.#host = host;
    this.#forwarding = forwardingOf(socket, host.runtime);
    this.#exchange = new Exchange(this, host.runtime);
    this.#writer = new ResponseWriter(socket, host.runtime.memory);
    this.#waiting = new WaitingBytes(host.runtime.memory);
    this.#idleSince = host.runtime.clock.now;
    this.#stopReceiving = receive(socket, this.#onRead, () => this.#reader.bodyLeft > 0);
    socket.on('drain', this.#onDrain);
    socket.on('end', this.#onEnd);
    socket.on('close', this.#onClose);
    host.runtime.clock.watch(this);
  }

  /** Reads bytes that arrived behind a request of the full lane. */
  readAgain(unread: Buffer): void {
    this.#first = false;
    this.#reader.add(unread);
    this.#reader.settle();
    this.#resumePipeline();
  }

  /** Whether no request is in progress. */
  get idle(): boolean {
    return !this.#exchange.active && this.#reader.unread === undefined;
  }

  /** The time when it became idle, in milliseconds of the clock. */
  get idleSince(): number {
    return this.#idleSince;
  }

  destroy(): void {
    this.#socket.destroy();
  }

  /** Ends a gRPC-Web call because the proxy stops. */
  stopCall(): void {
    this.#exchange.stop();
  }

  readonly #onRead = (read: Incoming): void => {
    if (this.#lingerUntil !== 0) return;
    const { bytes } = read;
    const reader = this.#reader;
    if (reader.bodyLeft > 0) {
      this.#sendBody(read.take(0, reader.takeBody(bytes)));
      return;
    }
    reader.add(bytes);
    // A client that pipelines and reads nothing must not fill memory with responses.
    if (this.#exchange.active || this.#socket.writableNeedDrain) {
      if (!reader.settle()) stopReading(this.#socket);
      this.#waiting.set(reader.unread!.length);
    } else {
      this.#next(read);
      reader.settle();
    }
  };

  /** Starts the next request of the unread bytes. @param from brought them, if they are lent. */
  #next(from?: Incoming) {
    const reader = this.#reader;
    const { runtime } = this.#host;
    const http2 = this.#first ? beginsHttp2(reader.unread!) : false;
    if (http2) {
      this.#host.toHttp2(this.#socket, this.#release());
      return;
    }
    if (http2 === undefined) {
      this.#awaitHead();
      return;
    }
    const read = runtime.fastLane ? reader.next(runtime.maxHead, runtime.maxFields) : reader.peek();
    if (read === Read.unsupported) {
      this.#host.toFullLane(this.#socket, this.#release(), from === undefined);
      return;
    }
    if (read === Read.partial) {
      this.#awaitHead();
      return;
    }
    this.#headSince = 0;
    this.#first = false;
    this.#waiting.set(reader.unread === undefined ? 0 : reader.unread.length);
    this.#keepAlive = reader.head.keepAlive;
    if (reader.bodyLeft > 0) stopReading(this.#socket);
    else if (this.#socket.isPaused() && reader.settle()) startReading(this.#socket);
    if (runtime !== this.#exchange.listener) {
      this.#exchange.listener = runtime;
      this.#forwarding = forwardingOf(this.#socket, runtime);
    }
    this.#exchange.start(reader.head, this.#forwarding, this.#takeBody(from));
  }

  #awaitHead() {
    this.#headSince ||= this.#host.runtime.clock.now;
    if (this.#socket.isPaused()) startReading(this.#socket);
  }

  /** Takes the part of the body that arrived with the head. */
  #takeBody(read: Incoming | undefined): LentBytes | undefined {
    const { body, bodyStart } = this.#reader;
    if (body === undefined) return undefined;
    this.#reader.body = undefined;
    return read !== undefined && bodyStart !== -1
      ? read.take(bodyStart, bodyStart + body.length)
      : new OwnBytes(Buffer.from(body));
  }

  /** Releases the socket to another owner; returns the bytes that were not processed. */
  #release(): Buffer {
    const unread = Buffer.from(this.#reader.unread!);
    this.#handedOver = true;
    this.#reader.unread = undefined;
    const socket = this.#socket;
    this.#stopReceiving();
    socket.off('drain', this.#onDrain);
    socket.off('end', this.#onEnd);
    socket.off('close', this.#onClose);
    this.#detach();
    return unread;
  }

  #detach() {
    this.#waiting.set(0);
    this.#writer.drained();
    this.#host.runtime.clock.unwatch(this);
    this.#host.onClosed(this);
  }

  #sendBody(piece: LentBytes) {
    if (!this.#exchange.sendBody(piece)) stopReading(this.#socket);
    if (this.#reader.bodyLeft === 0) this.#exchange.endBody([]);
  }

  resumeBody(): void {
    if (this.#reader.bodyLeft > 0) startReading(this.#socket);
  }

  pauseBody(): void {
    if (this.#reader.bodyLeft > 0) stopReading(this.#socket);
  }

  sendInformational(head: ResponseHead): void {
    this.#socket.write(informationalText(head), 'latin1');
  }

  mustClose(): boolean {
    if (this.#host.draining) this.#keepAlive = false;
    return !this.#keepAlive;
  }

  sendHead(head: ResponseHead, fields: readonly string[], framing: ResponseFraming): void {
    this.#keepAlive = !framing.close;
    this.#writer.begin(
      responseText(head.status, head.reason, withFraming(fields, framing)),
      framing.chunked,
    );
  }

  sendBodyPiece(lent: LentBytes, start: number, end: number): boolean {
    return this.#writer.body(lent, start, end);
  }

  sendEnd(trailers: readonly string[]): void {
    this.#writer.end(trailers);
    this.#finish();
  }

  sendLocalReply(status: number, reason: string, options: ReplyOptions): void {
    if (this.#reader.bodyLeft > 0 || status === 413) this.#keepAlive = false;
    const close = this.mustClose();
    const { requestId } = this.#exchange.ids;
    const head = this.#exchange.head.method === 'HEAD';
    this.#socket.write(
      localReplyText(status, reason, { ...options, requestId, close, head }),
      'latin1',
    );
    this.#finish();
  }

  flush(): void {
    this.#writer.flush();
  }

  discardHead(): boolean {
    const unsent = this.#writer.discardHead();
    if (unsent) this.#keepAlive = false;
    return unsent;
  }

  breakOff(): void {
    this.#socket.destroy();
  }

  /** Continues with the next request, or closes the connection. */
  #finish() {
    const socket = this.#socket;
    if (!this.#keepAlive) {
      this.#reader.unread = undefined;
      socket.end();
      this.#lingerUntil = this.#host.runtime.clock.now + LINGER;
      startReading(socket);
      return;
    }
    this.#idleSince = this.#host.runtime.clock.now;
    if (this.#reader.unread !== undefined) queueMicrotask(() => this.#resumePipeline());
    else if (socket.isPaused()) startReading(socket);
  }

  #resumePipeline() {
    if (
      this.#reader.unread === undefined ||
      this.#exchange.active ||
      this.#socket.destroyed ||
      this.#socket.writableNeedDrain ||
      this.#handedOver
    )
      return;
    this.#next();
  }

  readonly #onDrain = (): void => {
    this.#writer.drained();
    if (this.#exchange.active) this.#exchange.resume();
    else this.#resumePipeline();
  };

  /** A client that closes its side cancels its request, as with nginx. */
  readonly #onEnd = (): void => {
    if (this.#exchange.active) this.#socket.destroy();
    else this.#reader.unread = undefined;
  };

  readonly #onClose = (): void => {
    this.#exchange.cancel();
    this.#detach();
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
          localReplyText(408, 'the request head did not arrive in time', { close: true }),
          'latin1',
        );
        this.#lingerUntil = now + LINGER;
      }
    } else if (now - this.#idleSince > timeouts.keepAlive) this.#socket.destroy();
  }
}
