import type { ResponseHead } from '../http/response-head.ts';

/** Receives one response. Octets are lent during the call; `keep` takes them over. */
export interface ResponseReceiver {
  onInformational(head: ResponseHead): void;
  onHead(head: ResponseHead): void;
  onBody(buffer: Buffer, start: number, end: number): void;
  /** A head came, and its body is not whole yet: what is there must not wait for the rest. */
  onMoreToCome(): void;
  /** The response is whole; the connection is already given back. */
  onEnd(trailers: readonly string[]): void;
  /** The connection can take more of the request's body. */
  onDrain(): void;
  /** The connection failed, or spoke no HTTP, before the response was whole. */
  onLost(error: Error): void;
}
