import { SMALL } from '../answer-sink.ts';

/** Octets of a read at most. */
const LARGE = 64 * 1024;
/**
 * Where all connections read while little comes. What is in it is used up within the call: pieces
 * up to `SMALL` are copied by whoever takes them, and larger ones are copied by `own`.
 */
const SHARED = Buffer.allocUnsafeSlow(LARGE);

/** Where a connection reads to: a buffer shared by all, or one of its own while much comes. */
export class ReadBuffers {
  #lastRead = 0;
  #buffer: Buffer | undefined;
  /** Whether `#buffer`, just read to, is referred to beyond the call. */
  #kept = false;
  /** Buffers that a client's socket still refers to. */
  readonly #lent: Buffer[] = [];
  /** One that it has done with. */
  #spare: Buffer | undefined;

  /** The buffer for the next read, of an answer that has `remaining` octets to come. */
  next(remaining: number): Buffer {
    if (this.#kept) {
      this.#lent.push(this.#buffer!);
      this.#buffer = undefined;
      this.#kept = false;
    }
    if (this.#lastRead <= SMALL && remaining <= SMALL) {
      this.#buffer = this.#spare = undefined;
      return SHARED;
    }
    if (this.#buffer === undefined) {
      this.#buffer = this.#spare ?? Buffer.allocUnsafeSlow(LARGE);
      this.#spare = undefined;
    }
    return this.#buffer;
  }

  /** What was read, in memory that nobody else reads to for as long as it may be referred to. */
  own(buffer: Buffer, length: number): Buffer {
    this.#lastRead = length;
    return buffer.buffer === SHARED.buffer && length > SMALL
      ? Buffer.from(buffer.subarray(0, length))
      : buffer;
  }

  /** Whether a client's socket may refer to what was read before. */
  get lends(): boolean {
    return this.#lent.length > 0;
  }

  /** The buffer last read to is referred to beyond the call. */
  keep(): void {
    this.#kept = this.#buffer !== undefined;
  }

  /** Nothing that was read before is referred to any more. */
  reuse(): void {
    this.#spare ??= this.#lent[0];
    this.#lent.length = 0;
  }

  /** What is still referred to is left to whoever does. */
  leave(): void {
    this.#lent.length = 0;
    if (this.#kept) this.#buffer = undefined;
    this.#kept = false;
  }
}
