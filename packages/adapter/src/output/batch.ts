import type { Generation, Mark } from '../tail/generation.ts';

/** Node's own encoder, which is quicker than `write` for short texts. */
type Writable = Buffer & { utf8Write(text: string, at: number): number };

/** Bytes that grow at the end, in a buffer that is used again. */
export class Payload {
  buffer: Buffer;
  length = 0;

  constructor(capacity: number) {
    this.buffer = Buffer.allocUnsafeSlow(capacity);
  }

  /** Makes room for `extra` bytes more. */
  ensure(extra: number): void {
    if (this.length + extra <= this.buffer.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(this.buffer.length * 2, this.length + extra));
    this.buffer.copy(larger, 0, 0, this.length);
    this.buffer = larger;
  }

  append(text: string): void {
    // Three bytes hold any UTF-16 unit in UTF-8.
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

/** Records on their way, once for each encoding that an output asks for, acknowledged together. */
export class Batch {
  readonly payloads: readonly Payload[];
  count = 0;
  /** The source bytes that the records were made of. */
  sourceBytes = 0;
  /** How far each generation is delivered once this batch is. */
  readonly marks = new Map<Generation, Mark>();
  readonly madeAt: number;
  /** Outputs that have not acknowledged it. */
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

/** Payload buffers of delivered batches, kept for the next: fresh ones outrun the collector. */
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
    // One that grew for a long line is left to the collector.
    if (this.#free.length < this.#keep && payload.buffer.length <= this.#capacity * 2) {
      this.#free.push(payload);
    }
  }
}
