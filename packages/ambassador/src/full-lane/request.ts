import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { Exchange } from '../exchange/exchange.ts';
import { forwardingOf } from '../exchange/forwarding.ts';
import type { ReplyOptions, ResponseSink } from '../exchange/response-sink.ts';
import {
  informationalText,
  type ResponseFraming,
  withFraming,
} from '../http/canonical-response.ts';
import { type LocalReplyOptions, localReply } from '../http/local-reply.ts';
import type { CheckedRequest } from '../http/request-check.ts';
import type { ResponseHead } from '../http/response-head.ts';
import { SMALL } from '../http/small.ts';
import { trailerFields } from '../http/trailers.ts';
import { type LentBytes, OwnBytes } from '../memory/lent-bytes.ts';
import type { Listed } from '../memory/live-list.ts';
import { RetainedBytes } from '../memory/retained-bytes.ts';
import { WaitingBytes } from '../memory/waiting-bytes.ts';
import type { FullLaneHost } from './host.ts';

/** Serves one request of the full lane. */
export class FullLaneRequest implements ResponseSink, Listed {
  place = -1;
  readonly protocol = 'HTTP/1.1';
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #host: FullLaneHost;
  readonly #exchange: Exchange;
  readonly #head: CheckedRequest;
  #keepAlive: boolean;
  #reading = false;
  readonly #retained = new RetainedBytes();
  /** Bytes of the body that node:http has parsed and the upstream cannot take yet. */
  readonly #waiting: WaitingBytes;
  /** Writes the head, once the start of its body has proved valid. */
  #writeHead: (() => void) | undefined;

  constructor(
    request: IncomingMessage,
    response: ServerResponse,
    host: FullLaneHost,
    head: CheckedRequest,
  ) {
    this.#request = request;
    this.#response = response;
    this.#host = host;
    this.#head = head;
    this.#keepAlive = head.keepAlive;
    this.#exchange = new Exchange(this, host.runtime);
    this.#waiting = new WaitingBytes(host.runtime.memory);
    response.on('drain', () => this.#exchange.resume());
    response.once('close', () => this.abandon());
    // If a request is aborted within its body, its response closes too and cancels the exchange.
    request.on('error', () => response.destroy());
  }

  /** Ends it without a response, if it has not ended. */
  abandon(): void {
    this.#retained.abandonAll();
    this.#waiting.set(0);
    this.#exchange.cancel();
  }

  start(): void {
    // Its body may have turned out to be malformed while it waited.
    if (this.#response.headersSent || this.#response.destroyed) return;
    const http11 = this.#request.httpVersionMinor === 1;
    const forwarding = forwardingOf(this.#request.socket, this.#host.runtime);
    const extras = { ...this.#head, upgrade: undefined };
    this.#exchange.listener = this.#host.runtime;
    this.#exchange.start(this.#head, forwarding, undefined, extras, http11);
  }

  /** The socket of a connection takes more. */
  onDrain(socket: Socket): void {
    // Only one response at a time has the socket.
    if (this.#response.socket === socket) this.#exchange.resume();
  }

  /** Ends a gRPC-Web call because the proxy stops. */
  stop(): void {
    this.#exchange.stop();
  }

  /** Whether the request has arrived completely. */
  get complete(): boolean {
    return this.#request.complete;
  }

  /** Reads the rest of the request without using it. */
  discardBody(): void {
    if (this.#request.complete) return;
    this.#request.removeAllListeners('data');
    this.#request.resume();
  }

  /** Refuses a request whose body turned out to be malformed. */
  rejectBody(status: number, reason: string): void {
    const response = this.#response;
    if (this.#exchange.active) this.#exchange.cancel();
    if (response.headersSent) this.breakOff();
    else refuseRequest(response, status, reason, { close: true });
  }

  /** Checks the time limits. @param now in milliseconds of the clock. */
  check(now: number): void {
    this.#waiting.set(this.#request.readableLength);
    this.#exchange.check(now);
  }

  resumeBody(): void {
    const request = this.#request;
    if (!this.#reading) {
      this.#reading = true;
      request.on('data', (chunk: Buffer) => {
        if (!this.#exchange.sendBody(new OwnBytes(chunk))) this.pauseBody();
        this.#waiting.set(request.readableLength);
      });
      request.once('end', () => this.#exchange.endBody(trailerFields(request.rawTrailers)));
    }
    request.resume();
    // A message that waits for more does not ask its socket again.
    if (!request.complete) request.socket.resume();
  }

  pauseBody(): void {
    if (!this.#reading) return;
    this.#request.pause();
    // Not only the message: node:http would parse one more read of the socket.
    if (!this.#request.complete) this.#request.socket.pause();
  }

  sendInformational(head: ResponseHead): void {
    if (head.status === 100) this.#response.writeContinue();
    else this.#response.socket?.write(informationalText(head), 'latin1');
  }

  mustClose(): boolean {
    return this.#host.draining || !this.#keepAlive;
  }

  sendHead(head: ResponseHead, fields: readonly string[], framing: ResponseFraming): void {
    const response = this.#response;
    this.#writeHead = () => {
      this.#writeHead = undefined;
      // Prevents node:http from adding fields.
      if (!framing.close) response.removeHeader('connection');
      else response.shouldKeepAlive = false;
      response.writeHead(head.status, head.reason, withFraming(fields, framing));
    };
  }

  sendBodyPiece(lent: LentBytes, start: number, end: number): boolean {
    this.#writeHead?.();
    const piece = lent.bytes.subarray(start, end);
    // node:http delays the socket's writes until the next tick.
    return piece.length <= SMALL
      ? this.#response.write(Buffer.from(piece))
      : this.#response.write(piece, this.#retained.retain(lent));
  }

  sendEnd(trailers: readonly string[]): void {
    this.#writeHead?.();
    if (trailers.length > 0 && this.#head.method !== 'HEAD') {
      const pairs: [string, string][] = [];
      for (let i = 0; i < trailers.length; i += 2) pairs.push([trailers[i]!, trailers[i + 1]!]);
      this.#response.addTrailers(pairs);
    }
    this.#response.end();
  }

  sendLocalReply(status: number, reason: string, options: ReplyOptions): void {
    if (this.#complete) this.#replyLocally(status, reason, options);
    // A body that arrived with its head is complete once the parser has read those bytes.
    else process.nextTick(() => this.#replyLocally(status, reason, options));
  }

  #replyLocally(status: number, reason: string, options: ReplyOptions) {
    // The body may have turned out to be malformed.
    if (this.#response.headersSent) return;
    const close = this.mustClose() || !this.#complete || status === 413;
    const { requestId } = this.#exchange.ids;
    refuseRequest(this.#response, status, reason, { ...options, requestId, close });
  }

  /** Whether the request has arrived completely; without a body, its head is all. */
  get #complete(): boolean {
    return this.#request.complete || this.#head.contentLength === 0;
  }

  flush(): void {
    if (this.#writeHead === undefined) return;
    this.#writeHead();
    this.#response.flushHeaders();
  }

  discardHead(): boolean {
    if (this.#writeHead === undefined) return false;
    this.#writeHead = undefined;
    this.#keepAlive = false;
    return true;
  }

  breakOff(): void {
    this.#response.socket?.destroy();
    this.#response.destroy();
  }
}

/** Sends a local reply. */
export function refuseRequest(
  response: ServerResponse,
  status: number,
  reason: string,
  options: LocalReplyOptions,
): void {
  const reply = localReply(status, reason, options);
  if (options.close) response.shouldKeepAlive = false;
  else response.removeHeader('connection');
  response.writeHead(reply.status, reply.reason, reply.fields);
  response.end(reply.body, 'latin1');
}
