import { isMadeOf, TOKEN } from '../http/characters.ts';
import { MAX_METHOD } from '../http/methods.ts';
import { type RequestHead, recognizeRequest } from '../http/request-head.ts';

/** Bytes of pipelined requests that are kept during a request; beyond, reading stops. */
const MAX_UNREAD = 32 * 1024;

/** The results of reading a request. */
export const Read = {
  /** `head` and the present part of the `body` are set; `bodyLeft` bytes are still to come. */
  request: 0,
  /** The head is incomplete. */
  partial: 1,
  /** It cannot become a request that the fast lane supports: `unread` holds it. */
  unsupported: 2,
} as const;

export type Read = (typeof Read)[keyof typeof Read];

/** Splits the bytes of a connection into requests. */
export class RequestReader {
  /** The head of the request that was read last. */
  head!: RequestHead;
  /** The part of the body that arrived with the head, in lent bytes or in `unread` before. */
  body: Buffer | undefined;
  /** The offset of `body` in lent bytes; -1 if they are not lent any more. */
  bodyStart = -1;
  /** Bytes of the current request's body that are still to come. */
  bodyLeft = 0;
  /** Bytes that arrived and are not used yet. */
  unread: Buffer | undefined;
  /** Whether they are valid only until `settle`. */
  #lent = false;

  /** Appends lent bytes to the unread ones. */
  add(chunk: Buffer): void {
    this.#lent = this.unread === undefined;
    this.unread = this.unread === undefined ? chunk : Buffer.concat([this.unread, chunk]);
  }

  /** Keeps the bytes that are still unread; returns false if no more should arrive for now. */
  settle(): boolean {
    if (this.unread === undefined) return true;
    if (this.#lent) this.unread = Buffer.from(this.unread);
    this.#lent = false;
    return this.unread.length <= MAX_UNREAD;
  }

  /** Takes lent bytes of the current request's body, and keeps those beyond it; returns their number. */
  takeBody(chunk: Buffer): number {
    const own = Math.min(chunk.length, this.bodyLeft);
    if (own < chunk.length) this.unread = Buffer.from(chunk.subarray(own));
    this.bodyLeft -= own;
    return own;
  }

  /** Waits for the method only: the full lane reads the request. */
  peek(): Read {
    const text = this.unread!.toString('latin1', 0, MAX_METHOD + 1);
    return isMadeOf(TOKEN, text) && text.length <= MAX_METHOD ? Read.partial : Read.unsupported;
  }

  /** Reads the next request of the unread bytes. */
  next(maxHead: number, maxFields: number): Read {
    const unread = this.unread!;
    const text = unread.toString('latin1', 0, Math.min(unread.length, maxHead + 4));
    const end = text.indexOf('\r\n\r\n');
    if (end === -1) {
      // The full lane refuses whatever cannot become a valid head.
      return text.length >= maxHead || !couldBegin(text) ? Read.unsupported : Read.partial;
    }
    const head = end > maxHead ? undefined : recognizeRequest(text, end, maxFields);
    if (head === undefined) return Read.unsupported;
    const bodyStart = end + 4;
    const bodyEnd = Math.min(unread.length, bodyStart + head.contentLength);
    this.head = head;
    this.body = bodyEnd > bodyStart ? unread.subarray(bodyStart, bodyEnd) : undefined;
    this.bodyStart = this.#lent ? bodyStart : -1;
    this.bodyLeft = head.contentLength - (bodyEnd - bodyStart);
    this.unread = bodyEnd < unread.length ? unread.subarray(bodyEnd) : undefined;
    return Read.request;
  }
}

/** Whether text may still become a request head. */
function couldBegin(text: string): boolean {
  return /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,32}(?: |$)/.test(text) && !/[\0]|[^\r]\n/.test(text);
}
