import type { CanonicalRequest } from '../http/canonical-request.ts';
import type { LentBytes } from '../memory/lent-bytes.ts';
import type { ResponseReceiver } from './response-receiver.ts';

/**
 * Carries one request to an upstream and its response back: an HTTP/1.1 connection while it
 * serves the request, or a stream of another protocol.
 */
export interface UpstreamStream {
  readonly http2: boolean;
  /** Whether its connection has carried requests before, so that the upstream may be closing it. */
  readonly reused: boolean;
  /** Whether any byte of the response has arrived. */
  readonly responding: boolean;
  /** Whether the request was sent completely. */
  readonly requestSent: boolean;
  /**
   * Sends the head and the first piece of the body, if that is small.
   * @param first at most `SMALL` bytes.
   * @param complete whether that is all of the request.
   */
  begin(
    receiver: ResponseReceiver,
    request: CanonicalRequest,
    first: Buffer | undefined,
    complete: boolean,
  ): void;
  /**
   * Sends a piece of the body, and releases it afterwards; false asks to wait for `onDrain`.
   */
  sendBody(piece: LentBytes): boolean;
  /** Ends the body. @param trailers names and values in turn. */
  endBody(trailers: readonly string[]): void;
  /** Sends bytes of a tunnel, after a 101, as `sendBody` does. */
  sendTunnel(piece: LentBytes): boolean;
  /** Ends the client's direction of a tunnel. */
  endTunnel(): void;
  /** Counts what it has read and nobody has taken, if that can be much. */
  measure?(): void;
  /** Stops reading until `resume`. */
  pause(): void;
  resume(): void;
  /** Ends it at once; its receiver is not called any more. */
  destroy(): void;
}
