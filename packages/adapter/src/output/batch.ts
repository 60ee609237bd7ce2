import { freeBytes } from '@sidekit/core';
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
    freeBytes(this.buffer);
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
  readonly #keep: number;
  #bytes = 0;

  /** @param keep the size of all buffers that are kept, in bytes. */
  constructor(keep: number) {
    this.#keep = keep;
  }

  take(): Payload {
    const payload = this.#free.pop();
    if (payload === undefined) return new Payload();
    this.#bytes -= payload.buffer.length;
    return payload;
  }

  give(payload: Payload): void {
    payload.length = 0;
    // Long lines make buffers of MiBs, which the garbage collector is slow to free too.
    if (this.#bytes + payload.buffer.length > this.#keep) return;
    this.#free.push(payload);
    this.#bytes += payload.buffer.length;
  }
}
