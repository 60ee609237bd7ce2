import { Batch, type Payload, type PayloadPool } from '../output/batch.ts';

export interface BatcherOptions {
  /** The largest batch, in bytes; a record that is larger has a batch of its own. */
  readonly batchBytes: number;
  readonly pool: PayloadPool;
  readonly now: () => number;
  readonly submit: (batch: Batch) => void;
}

/** Collects encoded records in batches, which are bounded while they are built. */
export class Batcher {
  readonly #options: BatcherOptions;
  #batch: Batch | undefined;

  constructor(options: BatcherOptions) {
    this.#options = options;
  }

  /** The batch that the next record is added to. */
  get current(): Batch {
    this.#batch ??= this.#create();
    return this.#batch;
  }

  /** Notes that a record, with its line feed, was written to the payload from `before` on. */
  added(payload: Payload, before: number): void {
    const batch = this.current;
    batch.count++;
    if (payload.length <= this.#options.batchBytes) return;
    if (batch.count > 1) {
      const next = this.#create();
      next.payload.appendBytes(payload.buffer.subarray(before, payload.length));
      next.count = 1;
      payload.length = before;
      batch.count--;
      this.#submit(batch);
      this.#batch = next;
    }
    if (this.current.payload.length > this.#options.batchBytes) this.submit();
  }

  /** Submits what was collected, if anything. */
  submit(): void {
    const batch = this.#batch;
    if (!batch || (batch.count === 0 && batch.marks.size === 0)) return;
    this.#batch = undefined;
    this.#submit(batch);
  }

  #submit(batch: Batch): void {
    this.#options.submit(batch);
  }

  #create(): Batch {
    return new Batch(this.#options.pool.take(), this.#options.now());
  }
}
