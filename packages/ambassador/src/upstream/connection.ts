import net from 'node:net';
import tls from 'node:tls';
import type { CanonicalRequest } from '../http/canonical-request.ts';
import { lastChunk, writeChunk } from '../http/chunked-encoder.ts';
import { requestText } from '../http/request-text.ts';
import type { ResponseHead } from '../http/response-head.ts';
import { SMALL } from '../http/small.ts';
import { type LentBytes, OwnBytes } from '../memory/lent-bytes.ts';
import { WaitingBytes } from '../memory/waiting-bytes.ts';
import { writeAndRelease } from '../memory/write-and-release.ts';
import { idleLimit } from './idle-limit.ts';
import { ResponseBuffers } from './response-buffers.ts';
import { type HeadLimits, type ReaderOwner, ResponseReader } from './response-reader.ts';
import type { ResponseReceiver } from './response-receiver.ts';
import { isNegotiated, type Target, type UpstreamResources } from './target.ts';
import { keepReadable } from './tolerant-write.ts';
import type { UpstreamStream } from './upstream-stream.ts';

/** The pool of a connection. */
export interface ConnectionOwner {
  onOpen(connection: UpstreamConnection): void;
  /** Its response has ended, and it may be used again. */
  onIdle(connection: UpstreamConnection): void;
  onClosed(connection: UpstreamConnection, opened: boolean, error: Error | undefined): void;
  /** The upstream chose HTTP/2 by ALPN: the connection is over, and its socket belongs to the pool. */
  onHttp2(connection: UpstreamConnection, socket: tls.TLSSocket): void;
}

/** Limits what waits for the upstream; beyond, the client is not read. */
const WRITE_BUFFER = { highWaterMark: SMALL };

/** Carries requests to an upstream over HTTP/1.1, one at a time. */
export class UpstreamConnection implements ReaderOwner, UpstreamStream {
  readonly http2 = false;
  readonly socket: net.Socket;
  /** Whether the request was sent completely; if not, the connection is not used again. */
  requestSent = false;
  readonly openedAt: number;
  idleSince = 0;
  /** How long the upstream keeps it idle by its own account, in milliseconds. */
  idleLimit = Number.POSITIVE_INFINITY;
  opened = false;
  /** Whether the upstream chooses the version of HTTP with it. */
  readonly negotiated: boolean;
  readonly #owner: ConnectionOwner;
  readonly #reader: ResponseReader;
  /** The number of requests it has carried. */
  #uses = 0;
  #chunked = false;
  #writable = true;
  readonly #buffers: ResponseBuffers;
  /** Bytes of requests that wait for the upstream. */
  readonly #waiting: WaitingBytes;
  #error: Error | undefined;

  constructor(
    target: Target,
    owner: ConnectionOwner,
    limits: HeadLimits,
    { clock, memory, pool }: UpstreamResources,
  ) {
    this.#owner = owner;
    this.#reader = new ResponseReader(this, limits);
    this.negotiated = isNegotiated(target);
    this.openedAt = clock.now;
    this.#buffers = new ResponseBuffers(pool);
    this.#waiting = new WaitingBytes(memory);
    if ('secure' in target) {
      const socket = tls.connect({ ...target, ...WRITE_BUFFER });
      socket.on('data', (chunk: Buffer) => {
        const lent = new OwnBytes(chunk);
        this.#reader.read(lent, chunk.length);
        lent.release();
      });
      socket.once('secureConnect', () => {
        if (socket.alpnProtocol === 'h2') this.#handOver(socket);
        else this.#open();
      });
      this.socket = socket;
    } else {
      const socket = net.connect({
        ...target,
        ...WRITE_BUFFER,
        onread: {
          buffer: () => this.#buffers.next(this.#reader.remaining),
          callback: (length) => this.#read(length),
        },
      });
      socket.once('connect', () => this.#open());
      this.socket = socket;
    }
    this.socket.setNoDelay(true);
    keepReadable(this.socket, (error) => {
      // The end of reading reports it, unless a response comes first.
      this.#error ??= error;
      this.#writable = false;
    });
    this.socket.on('error', (error) => {
      this.#error = error;
    });
    this.socket.on('drain', () => {
      this.#waiting.set(0);
      this.#reader.receiver?.onDrain();
    });
    this.socket.on('end', () => this.#onEnd());
    this.socket.on('close', () => {
      this.#waiting.set(0);
      this.#buffers.close();
      this.#reader.abandon()?.onLost(this.#error ?? new Error('the connection was closed'));
      owner.onClosed(this, this.opened, this.#error);
    });
  }

  get reused(): boolean {
    return this.#uses > 1;
  }

  get responding(): boolean {
    return this.#reader.responding;
  }

  begin(
    receiver: ResponseReceiver,
    request: CanonicalRequest,
    first: Buffer | undefined,
    complete: boolean,
  ): void {
    this.#reader.begin(receiver, request.method, request.extras?.upgrade !== undefined);
    this.#chunked = request.contentLength === -1;
    this.requestSent = complete;
    this.#uses++;
    const { socket } = this;
    const head = requestText(request);
    if (first === undefined) socket.write(head, 'latin1');
    else socket.write(head + first.toString('latin1'), 'latin1');
  }

  sendBody(piece: LentBytes): boolean {
    const { socket } = this;
    if (!this.#chunked) return this.sendTunnel(piece);
    const more = writeChunk(socket, '', piece, 0, piece.bytes.length);
    if (!more && !piece.counted) this.#waiting.set(socket.writableLength);
    piece.release();
    return more;
  }

  endBody(trailers: readonly string[]): void {
    if (this.#chunked) this.socket.write(lastChunk(trailers), 'latin1');
    this.requestSent = true;
  }

  sendTunnel(piece: LentBytes): boolean {
    const more = writeAndRelease(this.socket, piece);
    if (!more && !piece.counted) this.#waiting.set(this.socket.writableLength);
    return more;
  }

  endTunnel(): void {
    this.socket.end();
  }

  pause(): void {
    this.socket.pause();
  }

  /** Closes the connection; its receiver is not called any more. */
  destroy(): void {
    this.#reader.abandon();
    this.socket.destroy();
  }

  /** Closes the connection with an error. */
  fail(error: Error): void {
    this.#error ??= error;
    this.socket.destroy();
    this.#reader.abandon()?.onLost(error);
  }

  resume(): void {
    if (this.socket.isPaused()) this.socket.resume();
  }

  #handOver(socket: tls.TLSSocket) {
    for (const event of ['data', 'drain', 'end', 'close', 'error'])
      socket.removeAllListeners(event);
    // An error must never be without a handler.
    socket.on('error', () => {});
    socket.pause();
    this.#buffers.close();
    this.#owner.onHttp2(this, socket);
  }

  #open() {
    this.opened = true;
    this.#owner.onOpen(this);
  }

  /** Returns whether reading continues. */
  #read(length: number): boolean {
    this.#reader.read(this.#buffers.lend(length), length);
    return !this.socket.isPaused();
  }

  #onEnd() {
    if (!this.#reader.end())
      this.fail(this.#error ?? new Error('the upstream closed the connection'));
  }

  onComplete(head: ResponseHead, clean: boolean): void {
    this.idleLimit = idleLimit(head);
    // Bytes behind the response must never be taken for the response to the next request.
    const ended = clean && !this.#buffers.full;
    this.#buffers.rest();
    if (!ended || !head.keepAlive || !this.requestSent || !this.#writable) {
      this.socket.destroy();
      return;
    }
    if (this.socket.isPaused()) this.socket.resume();
    // Each record of TLS is a read of its own: those that have arrived come before the next request.
    if (this.socket instanceof tls.TLSSocket) setImmediate(() => this.#rest());
    else this.#owner.onIdle(this);
  }

  #rest() {
    if (!this.socket.destroyed) this.#owner.onIdle(this);
  }
}
