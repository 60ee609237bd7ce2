import type { Mark } from '../tail/cursor.ts';
import type { Generation } from '../tail/generation.ts';

/** Node's own encoder, which is faster than `write` for short strings. */
type Writable = Buffer & { utf8Write(text: string, at: number): number };

/** The capacity of a new payload, in bytes; it doubles as it fills. */
const FIRST_CAPACITY = 16 * 1024;

/** Bytes that are appended to a buffer, which is reused. */
export class Payload {
  buffer: Buffer = Buffer.allocUnsafeSlow(FIRST_CAPACITY);
  length = 0;

  /** Makes room for `extra` more bytes. */
  ensure(extra: number): void {
    if (this.length + extra <= this.buffer.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(this.buffer.length * 2, this.length + extra));
    this.buffer.copy(larger, 0, 0, this.length);
    this.buffer = larger;
  }

  append(text: string): void {
    // A UTF-16 unit needs at most three bytes in UTF-8; count them only if that would grow it.
    if (this.length + text.length * 3 > this.buffer.length) this.ensure(Buffer.byteLength(text));
    this.length += (this.buffer as Writable).utf8Write(text, this.length);
  }

  appendByte(byte: number): void {
    this.ensure(1);
    this.buffer[this.length++] = byte;
  }

  appendBytes(bytes: Buffer): void {
    this.ensure(bytes.length);
    bytes.copy(this.buffer, this.length);
    this.length += bytes.length;
  }

  get bytes(): Buffer {
    return this.buffer.subarray(0, this.length);
  }
}

/** Encoded records for one output, each ending with a line feed, that are acknowledged together. */
export class Batch {
  readonly payload: Payload;
  count = 0;
  /** How far each generation is delivered once this batch is delivered. */
  readonly marks = new Map<Generation, Mark>();
  readonly madeAt: number;

  constructor(payload: Payload, madeAt: number) {
    this.payload = payload;
    this.madeAt = madeAt;
  }
}

/** Reuses the buffers of delivered batches: allocation is faster than the garbage collector. */
export class PayloadPool {
  readonly #free: Payload[] = [];
  readonly #largest: number;
  readonly #keep: number;

  /**
   * @param largest the capacity in bytes up to which a buffer is kept.
   * @param keep the number of buffers to keep.
   */
  constructor(largest: number, keep: number) {
    this.#largest = largest;
    this.#keep = keep;
  }

  take(): Payload {
    return this.#free.pop() ?? new Payload();
  }

  give(payload: Payload): void {
    payload.length = 0;
    // A buffer that grew for a long line is left to the garbage collector.
    if (this.#free.length < this.#keep && payload.buffer.length <= this.#largest) {
      this.#free.push(payload);
    }
  }
}
