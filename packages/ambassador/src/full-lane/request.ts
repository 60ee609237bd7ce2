import type { IncomingMessage, ServerResponse } from 'node:http';
import { type AnswerSink, SMALL, Taken } from '../answer-sink.ts';
import type { Watched } from '../clock.ts';
import { Exchange } from '../exchange.ts';
import type { Forwarding } from '../http/canonical-request.ts';
import { type AnswerFraming, informationalText } from '../http/canonical-response.ts';
import { isMadeOf, TOKEN } from '../http/characters.ts';
import { FieldKind, fieldKind } from '../http/field-kind.ts';
import { type OwnAnswerOptions, ownAnswer } from '../http/own-answer.ts';
import type { CheckedRequest } from '../http/request-check.ts';
import type { ResponseHead } from '../http/response-head.ts';
import type { FullLaneHost } from './host.ts';

/** One request of the full lane. */
export class FullLaneRequest implements AnswerSink, Watched {
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #host: FullLaneHost;
  readonly #exchange: Exchange;
  #keepAlive = true;
  #headOnly = false;
  #reading = false;
  /** Writes the head, once it is known whether its body is sound. */
  #writeHead: (() => void) | undefined;

  constructor(request: IncomingMessage, response: ServerResponse, host: FullLaneHost) {
    this.#request = request;
    this.#response = response;
    this.#host = host;
    this.#exchange = new Exchange(this, host.runtime);
  }

  start(head: CheckedRequest, forwarding: Forwarding): void {
    const response = this.#response;
    const { clock } = this.#host.runtime;
    this.#keepAlive = head.keepAlive;
    this.#headOnly = head.method === 'HEAD';
    clock.watch(this);
    response.on('drain', () => this.#exchange.resume());
    response.once('close', () => {
      clock.forget(this);
      this.#exchange.cancel();
    });
    // A request aborted in its body: its response closes too, and cancels.
    this.#request.on('error', () => response.destroy());
    const http11 = this.#request.httpVersionMinor === 1;
    this.#exchange.start(head, forwarding, undefined, head, http11);
  }

  /** Whether the request has come whole. */
  get whole(): boolean {
    return this.#request.complete;
  }

  /** Ends a request whose body turned out to be malformed. */
  breakOff(status: number, reason: string): void {
    const response = this.#response;
    if (this.#exchange.active) this.#exchange.cancel();
    if (response.headersSent) this.abort();
    else refuseRequest(response, status, reason, { close: true });
  }

  check(now: number): void {
    this.#exchange.check(now);
  }

  onUpstreamReady(): void {
    if (this.#reading) return;
    this.#reading = true;
    const request = this.#request;
    request.on('data', (chunk: Buffer) => {
      if (!this.#exchange.sendBody(chunk)) request.pause();
    });
    request.once('end', () => this.#exchange.endBody(trailerFields(request.rawTrailers)));
  }

  onUpstreamDrain(): void {
    this.#request.resume();
  }

  inform(head: ResponseHead): void {
    if (head.status === 100) this.#response.writeContinue();
    else this.#response.socket?.write(informationalText(head), 'latin1');
  }

  mustClose(): boolean {
    return this.#host.draining || !this.#keepAlive;
  }

  answer(head: ResponseHead, fields: readonly string[], framing: AnswerFraming): void {
    const response = this.#response;
    this.#writeHead = () => {
      this.#writeHead = undefined;
      // Without this node:http would add fields of its own.
      if (!framing.close) response.removeHeader('connection');
      else response.shouldKeepAlive = false;
      response.writeHead(head.status, head.reason, [...fields]);
    };
  }

  answerBody(buffer: Buffer, start: number, end: number): number {
    this.#writeHead?.();
    // node:http holds the socket's writes back until the next tick.
    const small = end - start <= SMALL;
    const chunk = buffer.subarray(start, end);
    const more = this.#response.write(small ? Buffer.from(chunk) : chunk);
    if (!more) return Taken.full;
    return small ? Taken.written : Taken.kept;
  }

  answerWritten(): boolean {
    return this.#response.writableLength === 0;
  }

  answerEnd(trailers: readonly string[]): void {
    this.#writeHead?.();
    if (trailers.length > 0 && !this.#headOnly) {
      const pairs: [string, string][] = [];
      for (let i = 0; i < trailers.length; i += 2) pairs.push([trailers[i]!, trailers[i + 1]!]);
      this.#response.addTrailers(pairs);
    }
    this.#response.end();
  }

  refuse(status: number, reason: string, retryAfter: number): void {
    const whole = this.#request.complete || this.#exchange.head.contentLength === 0;
    const close = this.mustClose() || !whole || status === 413;
    const { requestId } = this.#exchange.ids;
    refuseRequest(this.#response, status, reason, { retryAfter, requestId, close });
  }

  flush(): void {
    if (this.#writeHead === undefined) return;
    this.#writeHead();
    this.#response.flushHeaders();
  }

  abort(): boolean {
    if (this.#writeHead !== undefined) {
      this.#writeHead = undefined;
      this.#keepAlive = false;
      return true;
    }
    this.#response.socket?.destroy();
    this.#response.destroy();
    return false;
  }
}

/** Answers by ourselves. */
export function refuseRequest(
  response: ServerResponse,
  status: number,
  reason: string,
  options: OwnAnswerOptions,
): void {
  const answer = ownAnswer(status, reason, options);
  if (options.close) response.shouldKeepAlive = false;
  else response.removeHeader('connection');
  response.writeHead(answer.status, answer.reason, answer.fields);
  response.end(answer.body, 'latin1');
}

/** Trailers that may not change framing, routing or the hop. */
function trailerFields(raw: readonly string[]): string[] {
  const kept: string[] = [];
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i]!;
    const good = isMadeOf(TOKEN, name) && !/[^\t\x20-\x7e\x80-\xff]/.test(raw[i + 1]!);
    if (good && fieldKind(name) === FieldKind.ordinary) kept.push(name, raw[i + 1]!);
  }
  return kept;
}
