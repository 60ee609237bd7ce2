import type { Socket } from 'node:net';
import type { AnswerSink } from '../answer-sink.ts';
import type { Watched } from '../clock.ts';
import { Exchange } from '../exchange.ts';
import { AnswerWriter } from '../http/answer-writer.ts';
import type { Forwarding } from '../http/canonical-request.ts';
import { type AnswerFraming, answerText, informationalText } from '../http/canonical-response.ts';
import { ownAnswerText } from '../http/own-answer.ts';
import type { CheckedRequest } from '../http/request-check.ts';
import type { ResponseHead } from '../http/response-head.ts';
import type { FullLaneHost } from './host.ts';

/** Octets that a client may send before the upstream has agreed. */
const MAX_EARLY = 32 * 1024;

/**
 * A request that asks for an upgrade. After a 101 octets pass both ways untouched; any other
 * answer is relayed, and the connection ends with it.
 */
export class UpgradeRequest implements AnswerSink, Watched {
  readonly #socket: Socket;
  readonly #host: FullLaneHost;
  readonly #exchange: Exchange;
  readonly #writer: AnswerWriter;
  #early: Buffer;
  #open = false;

  constructor(socket: Socket, early: Buffer, host: FullLaneHost) {
    this.#socket = socket;
    this.#early = early;
    this.#host = host;
    this.#exchange = new Exchange(this, host.runtime);
    this.#writer = new AnswerWriter(socket);
  }

  start(head: CheckedRequest, forwarding: Forwarding): void {
    const socket = this.#socket;
    const { clock } = this.#host.runtime;
    clock.watch(this);
    // node:http has let go of the socket: without a handler an error would end the process.
    socket.on('error', () => socket.destroy());
    socket.on('data', (chunk: Buffer) => this.#onData(chunk));
    socket.on('drain', () => this.#exchange.resume());
    socket.on('end', () => {
      if (this.#open) this.#exchange.endBody([]);
      else socket.destroy();
    });
    socket.on('close', () => {
      clock.forget(this);
      this.#exchange.cancel();
    });
    this.#exchange.start(head, forwarding, undefined, head);
  }

  check(now: number): void {
    this.#exchange.check(now);
  }

  onUpstreamReady(): void {}

  onUpstreamDrain(): void {
    this.#socket.resume();
  }

  inform(head: ResponseHead): void {
    if (head.status !== 100) this.#socket.write(informationalText(head), 'latin1');
  }

  mustClose(): boolean {
    return true;
  }

  answer(head: ResponseHead, fields: readonly string[], framing: AnswerFraming): void {
    const upgraded = head.status === 101;
    const own = upgraded ? upgradeFields(head, fields) : fields;
    this.#writer.begin(answerText(head.status, head.reason, own), framing.chunked);
    if (!upgraded) return;
    this.#writer.flush();
    this.#open = true;
    if (this.#early.length > 0 && !this.#exchange.sendBody(this.#early)) this.#socket.pause();
    this.#early = Buffer.alloc(0);
    this.#socket.resume();
  }

  answerBody(buffer: Buffer, start: number, end: number): number {
    return this.#writer.body(buffer, start, end);
  }

  answerWritten(): boolean {
    return this.#socket.writableLength === 0;
  }

  answerEnd(trailers: readonly string[]): void {
    this.#writer.end(trailers);
    this.#socket.end();
    this.#socket.destroySoon();
  }

  refuse(status: number, reason: string, retryAfter: number): void {
    const { requestId } = this.#exchange.ids;
    const text = ownAnswerText(status, reason, { retryAfter, requestId, close: true });
    this.#socket.end(text, 'latin1', () => this.#socket.destroy());
  }

  flush(): void {
    this.#writer.flush();
  }

  abort(): boolean {
    this.#socket.destroy();
    return false;
  }

  #onData(chunk: Buffer) {
    if (this.#open) {
      if (!this.#exchange.sendBody(chunk)) this.#socket.pause();
      return;
    }
    this.#early = Buffer.concat([this.#early, chunk]);
    if (this.#early.length > MAX_EARLY) this.#socket.pause();
  }
}

/** The fields of a 101: its Upgrade is the point of it, its Content-Length would be none. */
function upgradeFields(head: ResponseHead, fields: readonly string[]): string[] {
  const kept: string[] = [];
  for (let i = 0; i < fields.length; i += 2)
    if (fields[i]!.toLowerCase() !== 'content-length') kept.push(fields[i]!, fields[i + 1]!);
  const at = head.fields.names.findIndex((name) => name.toLowerCase() === 'upgrade');
  return [...kept, 'Connection', 'Upgrade', 'Upgrade', head.fields.values[at] ?? 'websocket'];
}
