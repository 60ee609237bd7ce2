import net from 'node:net';
import tls from 'node:tls';
import type { Clock } from '../clock.ts';
import { ChunkedDecoder } from '../http/chunked-decoder.ts';
import { Framing, parseResponse, type ResponseHead } from '../http/response-head.ts';
import { ReadBuffers } from './read-buffers.ts';
import type { ResponseReceiver } from './response-receiver.ts';

/** What a connection belongs to. */
export interface ConnectionOwner {
  onOpen(connection: UpstreamConnection): void;
  /** It ended a response and may be used again. */
  onIdle(connection: UpstreamConnection): void;
  onClosed(connection: UpstreamConnection, opened: boolean, error: Error | undefined): void;
}

/** Where and how to connect. */
export type Target = net.NetConnectOpts | (tls.ConnectionOptions & { readonly secure: true });

/** Octets of a response head at most. */
const MAX_HEAD = 16 * 1024;
const NOTHING: readonly string[] = [];

/** An answer that is not HTTP as RFC 9112 has it. */
export class InvalidResponse extends Error {}

/** One connection to an upstream: writes requests, and reads responses with a parser of its own. */
export class UpstreamConnection {
  readonly socket: net.Socket;
  /** How many requests it has carried. */
  uses = 0;
  /** Whether any octet of the present response has come. */
  answering = false;
  /** Whether the request has been written whole; without it the connection is not used again. */
  requestSent = false;
  readonly openedAt: number;
  idleSince = 0;
  opened = false;
  readonly #owner: ConnectionOwner;
  #receiver: ResponseReceiver | undefined;
  #method = '';
  #partial = '';
  #head: ResponseHead | undefined;
  #remaining = 0;
  #decoder: ChunkedDecoder | undefined;
  readonly #buffers = new ReadBuffers();
  #error: Error | undefined;
  #informational = 0;

  constructor(target: Target, owner: ConnectionOwner, clock: Clock) {
    this.#owner = owner;
    this.openedAt = clock.now;
    if ('secure' in target) {
      const socket = tls.connect(target);
      socket.on('data', (chunk: Buffer) => this.#receive(chunk, chunk.length));
      socket.once('secureConnect', () => this.#open());
      this.socket = socket;
    } else {
      const socket = net.connect({
        ...target,
        onread: {
          buffer: () => this.#buffers.next(this.#remaining),
          callback: (length, buffer) => this.#read(buffer as Buffer, length),
        },
      });
      socket.once('connect', () => this.#open());
      this.socket = socket;
    }
    this.socket.setNoDelay(true);
    this.socket.on('error', (error) => {
      this.#error = error;
    });
    this.socket.on('drain', () => this.#receiver?.onDrain());
    this.socket.on('end', () => this.#ended());
    this.socket.on('close', () => {
      this.#lose(this.#error ?? new Error('the connection was closed'));
      owner.onClosed(this, this.opened, this.#error);
    });
  }

  /** Prepares for the response to a request of `method`, which the caller writes next. */
  begin(receiver: ResponseReceiver, method: string): void {
    this.#receiver = receiver;
    this.#method = method;
    this.#informational = 0;
    this.answering = false;
    this.requestSent = false;
    this.uses++;
  }

  /** Ends the connection; its receiver hears nothing more. */
  abandon(): void {
    this.#receiver = undefined;
    this.socket.destroy();
  }

  /** Ends the connection as failed. */
  fail(error: Error): void {
    this.#error ??= error;
    this.socket.destroy();
    this.#lose(error);
  }

  /** Call after handing lent octets to a `write` that did not finish at once. */
  keep(): void {
    this.#buffers.keep();
  }

  /** Whether octets are still lent. */
  get lends(): boolean {
    return this.#buffers.lends;
  }

  /** All that was kept has been written: its memory is read to again. */
  reuse(): void {
    this.#buffers.reuse();
  }

  /** All that was kept has been written: reading goes on. */
  resume(): void {
    this.#buffers.reuse();
    if (this.socket.isPaused()) this.socket.resume();
  }

  #open() {
    this.opened = true;
    this.#owner.onOpen(this);
  }

  /** Returns whether reading goes on. */
  #read(buffer: Buffer, length: number): boolean {
    this.#receive(this.#buffers.own(buffer, length), length);
    return !this.socket.isPaused();
  }

  #lose(error: Error) {
    const receiver = this.#receiver;
    this.#receiver = undefined;
    receiver?.onLost(error);
  }

  #ended() {
    const head = this.#head;
    if (this.#receiver && head?.framing === Framing.close) this.#finish(NOTHING, false);
    else this.fail(new Error('the upstream closed the connection'));
  }

  #receive(buffer: Buffer, length: number) {
    const hadHead = this.#head !== undefined;
    this.#receiveAll(buffer, length);
    if (!hadHead && this.#head !== undefined) this.#receiver?.onMoreToCome();
  }

  #receiveAll(buffer: Buffer, length: number) {
    let at = 0;
    while (at < length) {
      const receiver = this.#receiver;
      if (receiver === undefined) {
        // Octets that belong to no request: never believe what comes next here.
        this.socket.destroy();
        return;
      }
      this.answering = true;
      if (this.#head === undefined) {
        at = this.#receiveHead(receiver, buffer, at, length);
        if (at === -1) return;
      } else if (this.#head.framing === Framing.length) {
        const upTo = Math.min(length, at + this.#remaining);
        this.#remaining -= upTo - at;
        receiver.onBody(buffer, at, upTo);
        at = upTo;
        if (this.#remaining === 0) this.#finish(NOTHING, at === length);
      } else if (this.#head.framing === Framing.chunked) {
        at = this.#receiveChunks(receiver, buffer, at, length);
        if (at === -1) return;
      } else {
        receiver.onBody(buffer, at, length);
        at = length;
      }
    }
  }

  /** Returns the place after the head, or -1 where there is no more to do. */
  #receiveHead(receiver: ResponseReceiver, buffer: Buffer, at: number, length: number): number {
    const before = this.#partial.length;
    const text = this.#partial + buffer.toString('latin1', at, Math.min(length, at + MAX_HEAD + 4));
    const end = text.indexOf('\r\n\r\n');
    if (end === -1 || end > MAX_HEAD) {
      if (text.length > MAX_HEAD) {
        this.fail(new InvalidResponse('the response head is larger than 16 KiB'));
      } else this.#partial = text;
      return -1;
    }
    this.#partial = '';
    const head = parseResponse(text, end, this.#method);
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
    if (head.status === 101 && this.#method !== UPGRADE) {
      this.fail(new InvalidResponse('a 101 that nobody asked for'));
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

  /** For the decoder. */
  onChunk(buffer: Buffer, start: number, end: number): void {
    this.#receiver?.onBody(buffer, start, end);
  }

  #finish(trailers: readonly string[], clean: boolean) {
    const receiver = this.#receiver!;
    const reusable = clean && this.#head!.keepAlive && this.requestSent;
    this.#receiver = undefined;
    this.#head = undefined;
    this.#decoder = undefined;
    // The client may refer to them beyond the end of the answer.
    this.#buffers.leave();
    if (reusable) {
      if (this.socket.isPaused()) this.socket.resume();
      this.#owner.onIdle(this);
    } else this.socket.destroy();
    receiver.onEnd(trailers);
  }
}

/** Stands for the method of a request that asks for an upgrade: only it may get a 101. */
export const UPGRADE = 'GET (upgrade)';
