import type { ResponseHead } from '../http/response-head.ts';
import type { LentBytes } from '../memory/lent-bytes.ts';

/** A response that is not valid HTTP (RFC 9110, RFC 9112). */
export class InvalidResponse extends Error {}

/**
 * A request that the upstream has not processed by its own account, or never got: a refused stream,
 * or one above the last id of GOAWAY (RFC 9113 §8.7). It may be sent again whatever it is.
 */
export class UnprocessedRequest extends Error {}

/** Receives one response. */
export interface ResponseReceiver {
  onInformational(head: ResponseHead): void;
  onHead(head: ResponseHead): void;
  /** Bytes are lent for the call, unless they are retained. */
  onBody(lent: LentBytes, start: number, end: number): void;
  /** A head arrived without all of its body: it must not wait for the rest. */
  onMoreToCome(): void;
  /** The response is complete; the connection is back in its pool. */
  onEnd(trailers: readonly string[]): void;
  /** The connection can take more of the request's body. */
  onDrain(): void;
  /** The connection failed, or sent no valid HTTP, before the response was complete. */
  onLost(error: Error): void;
}
