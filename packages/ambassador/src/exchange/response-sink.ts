import type { ResponseFraming } from '../http/canonical-response.ts';
import type { LocalReplyOptions } from '../http/local-reply.ts';
import type { ResponseHead } from '../http/response-head.ts';
import type { LentBytes } from '../memory/lent-bytes.ts';

/** The options of a local reply that an exchange decides. */
export type ReplyOptions = Pick<
  LocalReplyOptions,
  'retryAfter' | 'grpcStatus' | 'grpcType' | 'fields'
>;

/**
 * Takes the response of an exchange to the downstream client. Each lane implements it, and so can
 * any other downstream protocol.
 */
export interface ResponseSink {
  /** The client's protocol, for the access log. */
  readonly protocol: string;
  /** Reads the request's body and passes it to `sendBody` and `endBody`. */
  resumeBody(): void;
  /** Stops reading the request's body. */
  pauseBody(): void;
  /** Sends an informational response (RFC 9110 §15.2). */
  sendInformational(head: ResponseHead): void;
  /**
   * Sends the head. @param fields names and values in turn, without those that only frame an
   * HTTP/1.1 message; `framing` says which of them HTTP/1.1 needs.
   */
  sendHead(head: ResponseHead, fields: readonly string[], framing: ResponseFraming): void;
  /**
   * Sends lent bytes of the body: copies a piece of `SMALL` bytes or less, retains a larger one.
   * Returns false if no more should be sent until the sink calls `resume`.
   */
  sendBodyPiece(lent: LentBytes, start: number, end: number): boolean;
  /** Sends a head that waits for its body. */
  flush(): void;
  /** Ends the response. @param trailers names and values in turn. */
  sendEnd(trailers: readonly string[]): void;
  /** Sends a local reply instead of a response. */
  sendLocalReply(status: number, reason: string, options: ReplyOptions): void;
  /** Discards a head that was not sent yet, so that a local reply may follow; false if it was. */
  discardHead(): boolean;
  /**
   * Ends a response that broke: with `trailers`, names and values in turn, if there are any and the
   * client takes them, or by closing the connection.
   */
  breakOff(trailers: readonly string[]): void;
  /** Whether the connection must be closed after this response. */
  mustClose(): boolean;
}
