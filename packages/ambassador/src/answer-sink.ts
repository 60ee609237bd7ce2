import type { AnswerFraming } from './http/canonical-response.ts';
import type { ResponseHead } from './http/response-head.ts';

/** What became of octets that were lent to a sink. */
export const Taken = {
  /** They were written at once, or copied. */
  written: 0,
  /** They are still referred to. */
  kept: 1,
  /** They are still referred to, and no more should come until `resume`. */
  full: 2,
} as const;

/**
 * Octets up to which a piece is copied rather than kept: small bodies go out in one write with
 * their head, and reads of that size share one buffer.
 */
export const SMALL: number = 16 * 1024;

/** A lane's side of an exchange: where the answer goes. */
export interface AnswerSink {
  /** The request's body may be sent now, by `sendBody` and `endBody`. */
  onUpstreamReady(): void;
  /** More of the request's body may be sent. */
  onUpstreamDrain(): void;
  /** An informational answer (RFC 9110 §15.2). */
  inform(head: ResponseHead): void;
  answer(head: ResponseHead, fields: readonly string[], framing: AnswerFraming): void;
  /** Takes lent octets; returns one of `Taken`. A piece of `SMALL` octets or less is copied. */
  answerBody(buffer: Buffer, start: number, end: number): number;
  /** Whether the kernel has all of the answer so far, so that nothing lent is referred to. */
  answerWritten(): boolean;
  /** Sends what was held back. */
  flush(): void;
  /** @param trailers names and values in turn. */
  answerEnd(trailers: readonly string[]): void;
  /** Answers by ourselves; nothing was answered before. @param retryAfter in seconds; 0 says none. */
  refuse(status: number, reason: string, retryAfter: number): void;
  /**
   * The answer is broken after its head was given: the socket must be destroyed, unless nothing
   * of it was sent yet; then true, and an answer of ours may be.
   */
  abort(): boolean;
  /** Whether the client must be told that the connection ends. */
  mustClose(): boolean;
}
