import type { Socket } from 'node:net';
import { Exchange } from '../exchange/exchange.ts';
import type { ReplyOptions, ResponseSink } from '../exchange/response-sink.ts';
import type { Forwarding } from '../http/canonical-request.ts';
import {
  informationalText,
  type ResponseFraming,
  responseText,
  withFraming,
} from '../http/canonical-response.ts';
import { localReplyText } from '../http/local-reply.ts';
import type { CheckedRequest } from '../http/request-check.ts';
import type { ResponseHead } from '../http/response-head.ts';
import { ResponseWriter } from '../http/response-writer.ts';
import { type LentBytes, OwnBytes } from '../memory/lent-bytes.ts';
import { startReading, stopReading } from '../memory/reading.ts';
import { type Incoming, receive } from '../memory/socket-reading.ts';
import type { Watched } from '../time/clock.ts';
import type { FullLaneHost } from './host.ts';

/** Bytes that a client may send before the upstream has switched protocols. */
const MAX_EARLY = 32 * 1024;

/**
 * Serves a request for an upgrade. After a 101, bytes pass both ways unchanged; any other response
 * is relayed, and the connection closes after it.
 */
export class UpgradeRequest implements ResponseSink, Watched {
  readonly protocol = 'HTTP/1.1';
  readonly #socket: Socket;
  readonly #host: FullLaneHost;
  readonly #exchange: Exchange;
  readonly #writer: ResponseWriter;
  #early: Buffer;
  #open = false;

  constructor(socket: Socket, early: Buffer, host: FullLaneHost) {
    this.#socket = socket;
    this.#early = early;
    this.#host = host;
    this.#exchange = new Exchange(this, host.runtime);
    this.#writer = new ResponseWriter(socket, host.runtime.memory);
  }

  start(head: CheckedRequest, forwarding: Forwarding): void {
    const socket = this.#socket;
    const { clock } = this.#host.runtime;
    clock.watch(this);
    // node:http has released the socket: without a handler an error would end the process.
    socket.on('error', () => socket.destroy());
    receive(socket, (read) => this.#onRead(read));
    socket.on('drain', () => {
      this.#writer.drained();
      this.#exchange.resume();
    });
    socket.on('end', () => {
      if (this.#open) this.#exchange.endBody([]);
      else socket.destroy();
    });
    socket.on('close', () => {
      clock.unwatch(this);
      this.#writer.drained();
      this.#exchange.cancel();
    });
    this.#exchange.start(head, forwarding, undefined, head);
  }

  check(now: number): void {
    this.#exchange.check(now);
  }

  resumeBody(): void {
    startReading(this.#socket);
  }

  pauseBody(): void {
    stopReading(this.#socket);
  }

  sendInformational(head: ResponseHead): void {
    this.#socket.write(informationalText(head), 'latin1');
  }

  mustClose(): boolean {
    return true;
  }

  sendHead(head: ResponseHead, fields: readonly string[], framing: ResponseFraming): void {
    const upgraded = head.status === 101;
    const own = upgraded ? upgradeFields(head, fields) : withFraming(fields, framing);
    this.#writer.begin(responseText(head.status, head.reason, own), framing.chunked);
    if (!upgraded) return;
    this.#writer.flush();
    this.#open = true;
    const more = this.#early.length === 0 || this.#exchange.sendBody(new OwnBytes(this.#early));
    this.#early = Buffer.alloc(0);
    if (more) startReading(this.#socket);
    else stopReading(this.#socket);
  }

  sendBodyPiece(lent: LentBytes, start: number, end: number): boolean {
    return this.#writer.body(lent, start, end);
  }

  sendEnd(trailers: readonly string[]): void {
    this.#writer.end(trailers);
    this.#socket.end();
    this.#socket.destroySoon();
  }

  sendLocalReply(status: number, reason: string, options: ReplyOptions): void {
    const { requestId } = this.#exchange.ids;
    const text = localReplyText(status, reason, { ...options, requestId, close: true });
    this.#socket.end(text, 'latin1', () => this.#socket.destroy());
  }

  flush(): void {
    this.#writer.flush();
  }

  discardHead(): boolean {
    return false;
  }

  breakOff(): void {
    this.#socket.destroy();
  }

  #onRead(read: Incoming) {
    const { bytes } = read;
    if (this.#open) {
      if (!this.#exchange.sendBody(read.take(0, bytes.length))) stopReading(this.#socket);
      return;
    }
    this.#early = Buffer.concat([this.#early, bytes]);
    if (this.#early.length > MAX_EARLY) stopReading(this.#socket);
  }
}

/** Returns the fields of a 101: with its Upgrade, without Content-Length. */
function upgradeFields(head: ResponseHead, fields: readonly string[]): string[] {
  const kept: string[] = [];
  for (let i = 0; i < fields.length; i += 2)
    if (fields[i]!.toLowerCase() !== 'content-length') kept.push(fields[i]!, fields[i + 1]!);
  const at = head.fields.names.findIndex((name) => name.toLowerCase() === 'upgrade');
  return [...kept, 'Connection', 'Upgrade', 'Upgrade', head.fields.values[at] ?? 'websocket'];
}
