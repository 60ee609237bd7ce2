import net from 'node:net';
import tls from 'node:tls';
import type { CanonicalRequest } from '../http/canonical-request.ts';
import { ChunkedDecoder } from '../http/chunked-decoder.ts';
import { lastChunk, writeChunk } from '../http/chunked-encoder.ts';
import { FieldKind } from '../http/field-kind.ts';
import { requestText } from '../http/request-text.ts';
import { Framing, parseResponse, type ResponseHead } from '../http/response-head.ts';
import { SMALL } from '../http/small.ts';
import { type LentBytes, OwnBytes } from '../memory/lent-bytes.ts';
import type { MemoryBudget } from '../memory/memory-budget.ts';
import type { ReadBufferPool } from '../memory/read-buffer.ts';
import { WaitingBytes } from '../memory/waiting-bytes.ts';
import { writeAndRelease } from '../memory/write-and-release.ts';
import type { Clock } from '../time/clock.ts';
import { ResponseBuffers } from './response-buffers.ts';
import { InvalidResponse, type ResponseReceiver } from './response-receiver.ts';
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

/** The address and the TLS options of a connect. */
export type Target =
  | net.NetConnectOpts
  /** HTTP/2 with prior knowledge. */
  | (net.NetConnectOpts & { readonly http2: true })
  /** TLS; HTTP/2 too if ALPN offers `h2`. */
  | (tls.ConnectionOptions & { readonly secure: true });

/** Whether a target leaves the version of HTTP to the upstream. */
export function isNegotiated(target: Target): boolean {
  return (
    'secure' in target && (target.ALPNProtocols as string[] | undefined)?.includes('h2') === true
  );
}

/** Resources that all connections share. */
export interface UpstreamResources {
  readonly clock: Clock;
  readonly memory: MemoryBudget;
  readonly pool: ReadBufferPool;
}

/** Limits of response heads. */
export interface HeadLimits {
  /** In bytes. */
  readonly maxHead: number;
  readonly maxFields: number;
}

/** Limits what waits for the upstream; beyond, the client is not read. */
const WRITE_BUFFER = { highWaterMark: SMALL };
const NOTHING: readonly string[] = [];
/** The beginning of each response head. */
const START = 'HTTP/1.';

/** Carries requests to an upstream over HTTP/1.1, one at a time. */
export class UpstreamConnection implements UpstreamStream {
  readonly http2 = false;
  readonly socket: net.Socket;
  /** Whether any byte of the current response has arrived. */
  responding = false;
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
  readonly #limits: HeadLimits;
  #receiver: ResponseReceiver | undefined;
  /** The number of requests it has carried. */
  #uses = 0;
  #method = '';
  /** Whether the request asks for an upgrade: only then a 101 is valid. */
  #upgrade = false;
  #chunked = false;
  #writable = true;
  #partial = '';
  #head: ResponseHead | undefined;
  #remaining = 0;
  #decoder: ChunkedDecoder | undefined;
  readonly #buffers: ResponseBuffers;
  /** The memory of the present read. */
  #lent!: LentBytes;
  /** Bytes of requests that wait for the upstream. */
  readonly #waiting: WaitingBytes;
  #error: Error | undefined;
  #informational = 0;

  constructor(
    target: Target,
    owner: ConnectionOwner,
    limits: HeadLimits,
    { clock, memory, pool }: UpstreamResources,
  ) {
    this.#owner = owner;
    this.#limits = limits;
    this.negotiated = isNegotiated(target);
    this.openedAt = clock.now;
    this.#buffers = new ResponseBuffers(pool);
    this.#waiting = new WaitingBytes(memory);
    if ('secure' in target) {
      const socket = tls.connect({ ...target, ...WRITE_BUFFER });
      socket.on('data', (chunk: Buffer) => {
        const lent = new OwnBytes(chunk);
        this.#receive(lent, chunk.length);
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
          buffer: () => this.#buffers.next(this.#remaining),
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
      this.#receiver?.onDrain();
    });
    this.socket.on('end', () => this.#onEnd());
    this.socket.on('close', () => {
      this.#waiting.set(0);
      this.#buffers.close();
      this.#notifyLost(this.#error ?? new Error('the connection was closed'));
      owner.onClosed(this, this.opened, this.#error);
    });
  }

  get reused(): boolean {
    return this.#uses > 1;
  }

  begin(
    receiver: ResponseReceiver,
    request: CanonicalRequest,
    first: Buffer | undefined,
    complete: boolean,
  ): void {
    this.#receiver = receiver;
    this.#method = request.method;
    this.#upgrade = request.extras?.upgrade !== undefined;
    this.#chunked = request.contentLength === -1;
    this.#informational = 0;
    this.responding = false;
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
    this.#receiver = undefined;
    this.socket.destroy();
  }

  /** Closes the connection with an error. */
  fail(error: Error): void {
    this.#error ??= error;
    this.socket.destroy();
    this.#notifyLost(error);
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
    this.#receive(this.#buffers.lend(length), length);
    return !this.socket.isPaused();
  }

  #notifyLost(error: Error) {
    const receiver = this.#receiver;
    this.#receiver = undefined;
    receiver?.onLost(error);
  }

  #onEnd() {
    const head = this.#head;
    if (this.#receiver && head?.framing === Framing.close) this.#finish(NOTHING, false);
    else this.fail(this.#error ?? new Error('the upstream closed the connection'));
  }

  #receive(lent: LentBytes, length: number) {
    const hadHead = this.#head !== undefined;
    this.#lent = lent;
    this.#receiveAll(lent, length);
    if (!hadHead && this.#head !== undefined) this.#receiver?.onMoreToCome();
  }

  #receiveAll(lent: LentBytes, length: number) {
    const buffer = lent.bytes;
    let at = 0;
    while (at < length) {
      const receiver = this.#receiver;
      if (receiver === undefined) {
        // Data without a request: nothing that follows on this connection can be trusted.
        this.socket.destroy();
        return;
      }
      this.responding = true;
      if (this.#head === undefined) {
        at = this.#receiveHead(receiver, buffer, at, length);
        if (at === -1) return;
      } else if (this.#head.framing === Framing.length) {
        const upTo = Math.min(length, at + this.#remaining);
        this.#remaining -= upTo - at;
        receiver.onBody(lent, at, upTo);
        at = upTo;
        if (this.#remaining === 0) this.#finish(NOTHING, at === length);
      } else if (this.#head.framing === Framing.chunked) {
        at = this.#receiveChunks(receiver, buffer, at, length);
        if (at === -1) return;
      } else {
        receiver.onBody(lent, at, length);
        at = length;
      }
    }
  }

  /** Returns the offset after the head, or -1 if there is no more to do. */
  #receiveHead(receiver: ResponseReceiver, buffer: Buffer, at: number, length: number): number {
    const before = this.#partial.length;
    const text =
      this.#partial +
      buffer.toString('latin1', at, Math.min(length, at + this.#limits.maxHead + 4));
    const end = text.indexOf('\r\n\r\n');
    if (end === -1 || end > this.#limits.maxHead) {
      // What can never become a head is an error at once, not at a timeout.
      if (/(?:^|[^\r])\n|\r[^\n]/.test(text)) {
        this.fail(new InvalidResponse('a line of the response head ends with CR or LF alone'));
      } else if (!START.startsWith(text.slice(0, START.length))) {
        this.fail(new InvalidResponse('the response does not begin with HTTP/1.'));
      } else if (text.length > this.#limits.maxHead) {
        this.fail(new InvalidResponse('the response head is too large'));
      } else this.#partial = text;
      return -1;
    }
    this.#partial = '';
    const head = parseResponse(text, end, this.#method, this.#limits.maxFields);
    if (typeof head === 'string') {
      this.fail(new InvalidResponse(head));
      return -1;
    }
    const next = at + end + 4 - before;
    if (head.status < 200 && head.status !== 101) {
      if (++this.#informational > 16) {
        this.fail(new InvalidResponse('too many informational responses'));
        return -1;
      }
      receiver.onInformational(head);
      return next;
    }
    if (head.status === 101 && !this.#upgrade) {
      this.fail(new InvalidResponse('a 101 without a request for an upgrade'));
      return -1;
    }
    const { framing } = head;
    this.#head = head.status === 101 ? { ...head, framing: Framing.close } : head;
    this.#remaining = head.contentLength;
    if (framing === Framing.chunked) this.#decoder = new ChunkedDecoder();
    receiver.onHead(this.#head);
    if (this.#receiver !== receiver) return -1;
    if (this.#head.framing === Framing.none) this.#finish(NOTHING, next === length);
    return next;
  }

  #receiveChunks(receiver: ResponseReceiver, buffer: Buffer, at: number, length: number): number {
    const decoder = this.#decoder!;
    let next: number;
    try {
      next = decoder.decode(buffer, at, length, this);
    } catch (error) {
      this.fail(new InvalidResponse((error as Error).message));
      return -1;
    }
    if (this.#receiver !== receiver) return -1;
    if (decoder.done) this.#finish(decoder.trailers, next === length);
    return next;
  }

  /** Receives the data of a chunk. */
  onChunk(_buffer: Buffer, start: number, end: number): void {
    this.#receiver?.onBody(this.#lent, start, end);
  }

  #finish(trailers: readonly string[], clean: boolean) {
    const receiver = this.#receiver!;
    const reusable = clean && this.#head!.keepAlive && this.requestSent && this.#writable;
    this.idleLimit = idleLimit(this.#head!);
    this.#receiver = undefined;
    this.#head = undefined;
    this.#decoder = undefined;
    this.#remaining = 0;
    this.#buffers.rest();
    if (reusable) {
      if (this.socket.isPaused()) this.socket.resume();
      this.#owner.onIdle(this);
    } else this.socket.destroy();
    receiver.onEnd(trailers);
  }
}

/**
 * Returns how long a connection may be idle by the upstream's `Keep-Alive: timeout=N`, in
 * milliseconds, with a margin for the way there.
 */
function idleLimit({ fields }: ResponseHead): number {
  for (let i = 0; i < fields.kinds.length; i++) {
    if (fields.kinds[i] !== FieldKind.hop || !/^keep-alive$/i.test(fields.names[i]!)) continue;
    const seconds = /(?:^|[\s,;])timeout\s*=\s*(\d{1,9})/i.exec(fields.values[i]!)?.[1];
    if (seconds !== undefined) return Math.max(0, Number(seconds) * 1000 - 500);
  }
  return Number.POSITIVE_INFINITY;
}
