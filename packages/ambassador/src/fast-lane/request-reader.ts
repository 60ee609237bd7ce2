import { type RequestHead, recogniseRequest } from '../http/request-head.ts';

/** Octets of a request head at most. */
const MAX_HEAD = 16 * 1024;
/** Octets of pipelined requests that are kept while one is under way; then reading stops. */
const MAX_UNREAD = 32 * 1024;

/** What came of reading a request. */
export const Read = {
  /** `head` and what there is of the `body` are given; `bodyLeft` is still to come. */
  request: 0,
  /** The head is not whole yet. */
  partial: 1,
  /** It is not, or cannot become, a request that the fast lane understands: `unread` holds it. */
  foreign: 2,
} as const;

/** Cuts the octets of a connection into requests, one after the other. */
export class RequestReader {
  /** Of the request read last. */
  head!: RequestHead;
  body: Buffer | undefined;
  /** Octets of the present request's body that are still to come. */
  bodyLeft = 0;
  /** Octets that came and are not used yet. */
  unread: Buffer | undefined;

  /** Keeps octets behind those that wait; false where no more should come for now. */
  keep(chunk: Buffer): boolean {
    this.unread = this.unread === undefined ? chunk : Buffer.concat([this.unread, chunk]);
    return this.unread.length <= MAX_UNREAD;
  }

  /** Takes octets of the present request's body; what goes beyond it waits. */
  takeBody(chunk: Buffer): Buffer {
    const own = chunk.length <= this.bodyLeft ? chunk : chunk.subarray(0, this.bodyLeft);
    if (own.length < chunk.length) this.unread = chunk.subarray(own.length);
    this.bodyLeft -= own.length;
    return own;
  }

  /** Reads the next request of what waits; returns one of `Read`. */
  next(): number {
    const unread = this.unread!;
    const text = unread.toString('latin1', 0, Math.min(unread.length, MAX_HEAD + 4));
    const end = text.indexOf('\r\n\r\n');
    if (end === -1) {
      // Whatever can't become a good head is the full lane's to refuse.
      return text.length >= MAX_HEAD || !couldBegin(text) ? Read.foreign : Read.partial;
    }
    const head = end > MAX_HEAD ? undefined : recogniseRequest(text, end);
    if (head === undefined) return Read.foreign;
    const bodyStart = end + 4;
    const bodyEnd = Math.min(unread.length, bodyStart + head.contentLength);
    this.head = head;
    this.body = bodyEnd > bodyStart ? unread.subarray(bodyStart, bodyEnd) : undefined;
    this.bodyLeft = head.contentLength - (bodyEnd - bodyStart);
    this.unread = bodyEnd < unread.length ? unread.subarray(bodyEnd) : undefined;
    return Read.request;
  }
}

/** Whether text may yet become a request head: no line of it is wrong already at a glance. */
function couldBegin(text: string): boolean {
  return /^[A-Z]{1,7}(?: |$)/.test(text) && !/[\0]|[^\r]\n/.test(text);
}
