/** Bytes of the prefix of a message: a flag and a length (PROTOCOL-HTTP2.md of grpc/grpc). */
const PREFIX = 5;
/** The flag of a compressed message, the only one that is known. */
const COMPRESSED = 1;

/**
 * Follows the prefixes of messages in a stream of bytes, and keeps none of them. A flag that is not
 * known is refused: in gRPC-Web, 0x80 would turn a message into trailers.
 */
export class FrameScanner {
  readonly #largest: number;
  /** Bytes of the present prefix that have arrived. */
  #prefix = 0;
  #length = 0;
  /** Bytes of the present message that are still to come. */
  #remaining = 0;

  /** @param largest the largest message, in bytes. */
  constructor(largest: number) {
    this.#largest = largest;
  }

  /** Whether no message has begun that is incomplete. */
  get atBoundary(): boolean {
    return this.#prefix === 0 && this.#remaining === 0;
  }

  /** Follows a piece. @returns the reason if it is not made of messages. */
  scan(bytes: Buffer, start: number, end: number): string | undefined {
    let at = start;
    while (at < end) {
      if (this.#remaining > 0) {
        const used = Math.min(this.#remaining, end - at);
        this.#remaining -= used;
        at += used;
        continue;
      }
      const byte = bytes[at++]!;
      if (this.#prefix === 0) {
        if (byte > COMPRESSED) return 'a message has an unknown flag';
        this.#length = 0;
      } else this.#length = this.#length * 256 + byte;
      if (++this.#prefix < PREFIX) continue;
      this.#prefix = 0;
      this.#remaining = this.#length;
      if (this.#length > this.#largest) return TOO_LARGE;
    }
    return undefined;
  }
}

/** The reason of `scan` for a message beyond the limit. */
export const TOO_LARGE = 'a message is larger than allowed';
