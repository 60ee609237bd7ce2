import type { Generation, Mark } from '../tail/generation.ts';

/** Node's own encoder, which is faster than `write` for short strings. */
type Writable = Buffer & { utf8Write(text: string, at: number): number };

/** Bytes that are appended to a buffer, which is reused. */
export class Payload {
  buffer: Buffer;
  length = 0;

  constructor(capacity: number) {
    this.buffer = Buffer.allocUnsafeSlow(capacity);
  }

  /** Makes room for `extra` more bytes. */
  ensure(extra: number): void {
    if (this.length + extra <= this.buffer.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(this.buffer.length * 2, this.length + extra));
    this.buffer.copy(larger, 0, 0, this.length);
    this.buffer = larger;
  }

  append(text: string): void {
    // A UTF-16 unit needs at most three bytes in UTF-8.
    this.ensure(text.length * 3);
    this.length += (this.buffer as Writable).utf8Write(text, this.length);
  }

  appendByte(byte: number): void {
    this.ensure(1);
    this.buffer[this.length++] = byte;
  }

  get bytes(): Buffer {
    return this.buffer.subarray(0, this.length);
  }
}

/** Records that are acknowledged together, once per encoding that an output needs. */
export class Batch {
  readonly payloads: readonly Payload[];
  count = 0;
  /** How far each generation is delivered once this batch is delivered. */
  readonly marks = new Map<Generation, Mark>();
  readonly madeAt: number;
  /** The number of outputs that have not acknowledged it. */
  pending = 0;

  constructor(payloads: readonly Payload[], madeAt: number) {
    this.payloads = payloads;
    this.madeAt = madeAt;
  }

  get bytes(): number {
    let total = 0;
    for (const payload of this.payloads) total += payload.length;
    return total;
  }
}

/** Reuses the buffers of delivered batches: allocation is faster than the garbage collector. */
export class PayloadPool {
  readonly #free: Payload[] = [];
  readonly #capacity: number;
  readonly #keep: number;

  constructor(capacity: number, keep: number) {
    this.#capacity = capacity;
    this.#keep = keep;
  }

  take(): Payload {
    return this.#free.pop() ?? new Payload(this.#capacity);
  }

  give(payload: Payload): void {
    payload.length = 0;
    // A buffer that grew for a long line is left to the garbage collector.
    if (this.#free.length < this.#keep && payload.buffer.length <= this.#capacity * 2) {
      this.#free.push(payload);
    }
  }
}
