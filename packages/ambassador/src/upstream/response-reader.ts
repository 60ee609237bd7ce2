import { ChunkedDecoder } from '../http/chunked-decoder.ts';
import { Framing, parseResponse, type ResponseHead } from '../http/response-head.ts';
import type { LentBytes } from '../memory/lent-bytes.ts';
import { InvalidResponse, type ResponseReceiver } from './response-receiver.ts';

/** Limits of response heads. */
export interface HeadLimits {
  /** In bytes. */
  readonly maxHead: number;
  readonly maxFields: number;
}

/** The connection that a reader reads for. */
export interface ReaderOwner {
  /** A response is complete. @param clean whether nothing has arrived after it. */
  onComplete(head: ResponseHead, clean: boolean): void;
  /** Closes the connection: something that arrived is not valid HTTP, or not for a request. */
  fail(error: InvalidResponse): void;
}

/** The beginning of each response head. */
const START = 'HTTP/1.';
/** Informational responses before a final one. */
const MAX_INFORMATIONAL = 16;
const NOTHING: readonly string[] = [];

/** Reads the responses of a connection over HTTP/1.1, one after the other. */
export class ResponseReader {
  /** Whether any byte of the current response has arrived. */
  responding = false;
  /** Bytes of a body with a length that are still to come. */
  remaining = 0;
  readonly #owner: ReaderOwner;
  readonly #limits: HeadLimits;
  #receiver: ResponseReceiver | undefined;
  #method = '';
  /** Whether the request asks for an upgrade: only then a 101 is valid. */
  #upgrade = false;
  #partial = '';
  #head: ResponseHead | undefined;
  #decoder: ChunkedDecoder | undefined;
  /** The memory of the present read. */
  #lent!: LentBytes;
  #informational = 0;

  constructor(owner: ReaderOwner, limits: HeadLimits) {
    this.#owner = owner;
    this.#limits = limits;
  }

  /** Receives the current response; none between responses, or if nobody wants the rest. */
  get receiver(): ResponseReceiver | undefined {
    return this.#receiver;
  }

  /** Expects the response to a request. */
  begin(receiver: ResponseReceiver, method: string, upgrade: boolean): void {
    this.#receiver = receiver;
    this.#method = method;
    this.#upgrade = upgrade;
    this.#informational = 0;
    this.responding = false;
  }

  /** Notifies the receiver no more; returns it. */
  abandon(): ResponseReceiver | undefined {
    const receiver = this.#receiver;
    this.#receiver = undefined;
    return receiver;
  }

  /** The upstream ended its side; returns whether that is the end of the response. */
  end(): boolean {
    if (this.#receiver === undefined || this.#head?.framing !== Framing.close) return false;
    this.#complete(NOTHING, false);
    return true;
  }

  /** Reads bytes that are lent for the call. */
  read(lent: LentBytes, length: number): void {
    const hadHead = this.#head !== undefined;
    this.#lent = lent;
    this.#readAll(lent, length);
    if (!hadHead && this.#head !== undefined) this.#receiver?.onMoreToCome();
  }

  #readAll(lent: LentBytes, length: number) {
    const buffer = lent.bytes;
    let at = 0;
    while (at < length) {
      const receiver = this.#receiver;
      if (receiver === undefined) {
        // Nothing that follows on this connection can be trusted.
        this.#refuse('bytes without a request');
        return;
      }
      this.responding = true;
      if (this.#head === undefined) {
        at = this.#readHead(receiver, buffer, at, length);
        if (at === -1) return;
      } else if (this.#head.framing === Framing.length) {
        const upTo = Math.min(length, at + this.remaining);
        this.remaining -= upTo - at;
        receiver.onBody(lent, at, upTo);
        at = upTo;
        if (this.remaining === 0) this.#complete(NOTHING, at === length);
      } else if (this.#head.framing === Framing.chunked) {
        at = this.#readChunks(receiver, buffer, at, length);
        if (at === -1) return;
      } else {
        receiver.onBody(lent, at, length);
        at = length;
      }
    }
  }

  /** Returns the offset after the head, or -1 if there is no more to do. */
  #readHead(receiver: ResponseReceiver, buffer: Buffer, at: number, length: number): number {
    const { maxHead, maxFields } = this.#limits;
    const before = this.#partial.length;
    const text = this.#partial + buffer.toString('latin1', at, Math.min(length, at + maxHead + 4));
    const end = text.indexOf('\r\n\r\n');
    if (end === -1 || end > maxHead) {
      // What can never become a head is an error at once, not at a timeout.
      if (/(?:^|[^\r])\n|\r[^\n]/.test(text)) {
        return this.#refuse('a line of the response head ends with CR or LF alone');
      }
      if (!START.startsWith(text.slice(0, START.length))) {
        return this.#refuse('the response does not begin with HTTP/1.');
      }
      if (text.length > maxHead) return this.#refuse('the response head is too large');
      this.#partial = text;
      return -1;
    }
    this.#partial = '';
    const head = parseResponse(text, end, this.#method, maxFields);
    if (typeof head === 'string') return this.#refuse(head);
    const next = at + end + 4 - before;
    if (head.status < 200 && head.status !== 101) {
      if (++this.#informational > MAX_INFORMATIONAL)
        return this.#refuse('too many informational responses');
      receiver.onInformational(head);
      return next;
    }
    if (head.status === 101 && !this.#upgrade)
      return this.#refuse('a 101 without a request for an upgrade');
    const { framing } = head;
    this.#head = head.status === 101 ? { ...head, framing: Framing.close } : head;
    this.remaining = head.contentLength;
    if (framing === Framing.chunked) this.#decoder = new ChunkedDecoder();
    receiver.onHead(this.#head);
    if (this.#receiver !== receiver) return -1;
    if (this.#head.framing === Framing.none) this.#complete(NOTHING, next === length);
    return next;
  }

  #readChunks(receiver: ResponseReceiver, buffer: Buffer, at: number, length: number): number {
    const decoder = this.#decoder!;
    let next: number;
    try {
      next = decoder.decode(buffer, at, length, this);
    } catch (error) {
      return this.#refuse((error as Error).message);
    }
    if (this.#receiver !== receiver) return -1;
    if (decoder.done) this.#complete(decoder.trailers, next === length);
    return next;
  }

  /** Receives the data of a chunk. */
  onChunk(_buffer: Buffer, start: number, end: number): void {
    this.#receiver?.onBody(this.#lent, start, end);
  }

  #refuse(reason: string): -1 {
    this.#owner.fail(new InvalidResponse(reason));
    return -1;
  }

  #complete(trailers: readonly string[], clean: boolean) {
    const head = this.#head!;
    const receiver = this.abandon()!;
    this.#head = undefined;
    this.#decoder = undefined;
    this.remaining = 0;
    this.#owner.onComplete(head, clean);
    receiver.onEnd(trailers);
  }
}
