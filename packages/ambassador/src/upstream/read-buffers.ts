import { SMALL } from '../http/lent-bytes.ts';

/** The largest read, in bytes. */
const LARGE = 64 * 1024;
/**
 * The buffer that all connections share for small reads. Its content is used within the call: pieces
 * up to `SMALL` are copied by the writer, and larger ones by `own`.
 */
const SHARED = Buffer.allocUnsafeSlow(LARGE);

/** Chooses the buffer of each read: one shared by all, or for large responses one of its own. */
export class ReadBuffers {
  #lastRead = 0;
  #buffer: Buffer | undefined;
  /** Whether `#buffer`, just read into, is referred to after the call. */
  #kept = false;
  /** Buffers that a client's socket still refers to. */
  readonly #lent: Buffer[] = [];
  /** One that is free again. */
  #spare: Buffer | undefined;

  /** Returns the buffer for the next read of a response with `remaining` bytes to come. */
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

  /** Returns what was read, in memory that no other connection reads into. */
  own(buffer: Buffer, length: number): Buffer {
    this.#lastRead = length;
    return buffer.buffer === SHARED.buffer && length > SMALL
      ? Buffer.from(buffer.subarray(0, length))
      : buffer;
  }

  /** Whether a client's socket may still refer to earlier reads. */
  get lends(): boolean {
    return this.#lent.length > 0;
  }

  /** Notes that the latest buffer is referred to after the call. */
  keep(): void {
    this.#kept = this.#buffer !== undefined;
  }

  /** Notes that no earlier read is referred to any more. */
  reuse(): void {
    this.#spare ??= this.#lent[0];
    this.#lent.length = 0;
  }

  /** Leaves the buffers that are still referred to to the garbage collector. */
  detach(): void {
    this.#lent.length = 0;
    if (this.#kept) this.#buffer = undefined;
    this.#kept = false;
  }
}
