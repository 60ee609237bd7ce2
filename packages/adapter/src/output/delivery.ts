import { type Condition, errorText, fullJitter, type Log, pause, throttle } from '@sidekit/core';
import type { AdapterMetrics } from '../observe/own-counters.ts';
import type { Batch, PayloadPool } from './batch.ts';
import { type Output, RetryError } from './output.ts';

export interface DeliveryOptions {
  /** Undelivered bytes at which reading pauses. */
  readonly bufferBytes: number;
  readonly retry: { readonly base: number; readonly cap: number };
  readonly encodingNames: readonly string[];
  readonly pool: PayloadPool;
  readonly metrics: AdapterMetrics;
  readonly log: Log;
  readonly condition: (output: string) => Condition;
  /** Stores a payload that an output refused. */
  readonly park: ((output: string, bytes: Buffer) => Promise<boolean>) | undefined;
  /** Called once all outputs have a batch and all before it. */
  readonly onDelivered: (batch: Batch) => void;
}

interface Lane {
  readonly output: Output;
  readonly queue: Batch[];
  working: Promise<void> | undefined;
}

/**
 * Delivers batches to all outputs, to each in order and independently, and retries without an end.
 * A batch is delivered once every output has acknowledged it.
 */
export class Delivery {
  readonly #options: DeliveryOptions;
  readonly #lanes: readonly Lane[];
  readonly #batches: Batch[] = [];
  readonly #ending = new AbortController();
  #held = 0;
  #onChange = Promise.withResolvers<void>();

  constructor(outputs: readonly Output[], options: DeliveryOptions) {
    this.#options = options;
    this.#lanes = outputs.map((output) => ({ output, queue: [], working: undefined }));
  }

  get heldBytes(): number {
    return this.#held;
  }

  /** The time of the oldest undelivered batch; undefined if there is none. */
  get oldest(): number | undefined {
    return this.#batches[0]?.madeAt;
  }

  hasRoom(): boolean {
    return this.#held < this.#options.bufferBytes;
  }

  submit(batch: Batch): void {
    this.#batches.push(batch);
    this.#held += batch.bytes;
    if (batch.count === 0) {
      this.#settle();
      return;
    }
    batch.pending = this.#lanes.length;
    for (const lane of this.#lanes) {
      lane.queue.push(batch);
      lane.working ??= this.#work(lane);
    }
  }

  /** Resolves at the next delivery, or when `signal` aborts. */
  async change(signal: AbortSignal): Promise<void> {
    const aborted = Promise.withResolvers<void>();
    const abort = () => aborted.resolve();
    if (signal.aborted) return;
    signal.addEventListener('abort', abort, { once: true });
    await Promise.race([this.#onChange.promise, aborted.promise]);
    signal.removeEventListener('abort', abort);
  }

  get empty(): boolean {
    return this.#batches.length === 0;
  }

  /** Aborts deliveries in progress; they stay unacknowledged. */
  async close(): Promise<void> {
    this.#ending.abort();
    await Promise.all(this.#lanes.map(({ working }) => working));
    await Promise.all(this.#lanes.map(({ output }) => output.close?.()));
  }

  async #work(lane: Lane): Promise<void> {
    const { output, queue } = lane;
    const payloadIndex = this.#options.encodingNames.indexOf(output.encoding.name);
    const condition = this.#options.condition(output.name);
    for (let batch = queue[0]; batch; batch = queue[0]) {
      const done = await this.#deliver(output, batch, payloadIndex, condition);
      if (!done) break;
      queue.shift();
      batch.pending--;
      this.#settle();
    }
    // In the same turn as the last read of the queue: a later batch starts it again.
    lane.working = undefined;
  }

  /** Retries until the output accepted or refused the batch; false if it was aborted. */
  async #deliver(output: Output, batch: Batch, index: number, condition: Condition) {
    const { retry, metrics, log } = this.#options;
    const { signal } = this.#ending;
    const payload = batch.payloads[index]!;
    const say = throttle(10_000, (left) =>
      log.warn('an output does not accept records; retrying', {
        event: 'output_retry',
        output: output.name,
        attempts: attempt,
        ...(left > 0 ? { suppressed: left } : {}),
        error: failure,
      }),
    );
    let attempt = 0;
    let failure = '';
    while (!signal.aborted) {
      try {
        const {
          refused,
          warning,
          rejected = 0,
        } = await output.deliver(payload, batch.count, signal);
        if (warning) {
          log.warn('an output accepted records with a warning', {
            event: 'output_warning',
            output: output.name,
            warning,
          });
          metrics.droppedRecords.with({ cause: 'rejected', output: output.name }).inc(rejected);
        }
        if (refused === undefined) {
          metrics.delivered.with({ output: output.name }).inc(batch.count - rejected);
          condition.pass();
          return true;
        }
        await this.#refuse(output, batch, payload.bytes, refused);
        return true;
      } catch (error) {
        if (signal.aborted) return false;
        failure = errorText(error);
        condition.warn(failure);
        metrics.retries.with({ output: output.name }).inc();
        const asked = error instanceof RetryError ? error.after : undefined;
        const wait = fullJitter(attempt, retry);
        attempt++;
        say();
        await pause(Math.max(asked ?? 0, wait), signal);
      }
    }
    return false;
  }

  /** Parks or drops a batch that will never be accepted, and counts it. */
  async #refuse(output: Output, batch: Batch, bytes: Buffer, reason: string): Promise<void> {
    const { metrics, log, park } = this.#options;
    let parked = false;
    try {
      parked = (await park?.(output.name, bytes)) ?? false;
    } catch (error) {
      log.error('a batch could not be parked', {
        event: 'park_failed',
        output: output.name,
        error: errorText(error),
      });
    }
    const cause = parked ? 'parked' : 'refused';
    metrics.droppedRecords.with({ cause, output: output.name }).inc(batch.count);
    log.error(`an output refused records; they were ${parked ? 'parked' : 'dropped'}`, {
      event: 'records_refused',
      output: output.name,
      records: batch.count,
      reason,
    });
  }

  /** Acknowledges, in order, the batches that every output has. */
  #settle(): void {
    for (let batch = this.#batches[0]; batch && batch.pending === 0; batch = this.#batches[0]) {
      this.#batches.shift();
      this.#held -= batch.bytes;
      this.#options.onDelivered(batch);
      for (const payload of batch.payloads) this.#options.pool.give(payload);
    }
    this.#onChange.resolve();
    this.#onChange = Promise.withResolvers();
  }
}
