/** The least room for lines in a block, in bytes: what one delivery to the sink is worth. */
const SMALLEST = 256 * 1024;
/** The room that a block has besides its largest message, for messages of more than this. */
const SPARE = 1024 * 1024;
const LINE_FEED = 0x0a;

/**
 * Computes the size of a block, in bytes, so that a message of any legal size fits into an empty
 * one, with the text before it and a line feed, and small messages still share one.
 */
export function blockSize(msgsize: number, prefix: number): number {
  const message = prefix + msgsize + 1;
  return Math.max(SMALLEST, message + Math.min(message, SPARE));
}

/** Lines for the sink: records with a text before each. */
export class Block {
  readonly bytes: Buffer;
  readonly #prefix: Buffer;
  /** Counts the bytes of lines, which begin at 0. */
  end = 0;
  /** Counts the records. */
  count = 0;

  constructor(bytes: Buffer, prefix: Buffer) {
    this.bytes = bytes;
    this.#prefix = prefix;
  }

  /** Whether a message of `msgsize` bytes can be received at `next`. */
  fits(msgsize: number): boolean {
    return this.end + this.#prefix.length + msgsize < this.bytes.length;
  }

  /** The offset at which a record is to be received, so that `close` need not copy it. */
  get next(): number {
    return this.end + this.#prefix.length;
  }

  /** Makes a line of the record from `next` to `end`. */
  close(end: number): void {
    if (this.#prefix.length > 0) this.bytes.set(this.#prefix, this.end);
    this.bytes[end] = LINE_FEED;
    this.end = end + 1;
  }

  /** Adds the line from `start` to `end`, its line feed included. @returns false if it does not fit. */
  add(lines: Buffer, start: number, end: number): boolean {
    if (this.next + end - start > this.bytes.length) return false;
    if (this.#prefix.length > 0) this.bytes.set(this.#prefix, this.end);
    this.end = this.next + lines.copy(this.bytes, this.next, start, end);
    return true;
  }

  clear(): void {
    this.end = 0;
    this.count = 0;
  }
}
