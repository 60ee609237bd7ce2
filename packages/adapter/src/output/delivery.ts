import { type Condition, errorText, fullJitter, type Log, pause, throttle } from '@sidekit/core';
import type { AdapterMetrics } from '../observe/own-counters.ts';
import type { Batch } from './batch.ts';
import { type Outcome, type Output, RetryError } from './output.ts';
import { halves, type Segment } from './segment.ts';

export interface DeliveryOptions {
  readonly retry: { readonly base: number; readonly cap: number };
  readonly metrics: AdapterMetrics;
  readonly log: Log;
  readonly condition: Condition;
  /** Stores refused records; resolves to false if there is no room. */
  readonly park:
    | ((output: Output, segment: Segment, reason: string) => Promise<boolean>)
    | undefined;
  readonly now: () => number;
  /** Called for each batch, in order, once the output has accepted or refused all its records. */
  readonly onDelivered: (batch: Batch) => void;
  /** Called when everything that was submitted is delivered. */
  readonly onIdle: () => void;
}

/** A Retry-After may ask for this many times the longest pause; receivers have asked for years. */
const LONGEST_ASKED = 10;
/** How long a size that a receiver refused is remembered, in milliseconds. */
const REMEMBER_SIZE = 600_000;

/**
 * Delivers batches to one output, in order, and retries without an end. Only the records
 * themselves can be at fault: a batch that is too large is split until it fits, and one that is
 * refused is narrowed down by halves, so that good records arrive.
 */
export class Delivery {
  readonly output: Output;
  readonly #options: DeliveryOptions;
  readonly #queue: Batch[] = [];
  readonly #ending = new AbortController();
  readonly #logRetry: () => void;
  readonly #logRefusal: () => void;
  #working: Promise<void> | undefined;
  #queued = 0;
  #onChange = Promise.withResolvers<void>();
  /** The size in bytes above which the receiver refuses a body, as far as that is known. */
  #ceiling = Number.POSITIVE_INFINITY;
  #ceilingSince = 0;
  #failure = '';
  #attempts = 0;
  #refusal = { reason: '', parked: false };

  constructor(output: Output, options: DeliveryOptions) {
    this.output = output;
    this.#options = options;
    const { log } = options;
    this.#logRetry = throttle(10_000, (suppressed) =>
      log.warn('an output does not accept records; retrying', {
        event: 'output_retry',
        output: output.name,
        attempts: this.#attempts,
        ...(suppressed > 0 ? { suppressed } : {}),
        error: this.#failure,
      }),
    );
    this.#logRefusal = throttle(10_000, (suppressed) =>
      log.error(
        `an output refused records; they were ${this.#refusal.parked ? 'parked' : 'dropped'}`,
        {
          event: 'records_refused',
          output: output.name,
          ...(suppressed > 0 ? { suppressed } : {}),
          reason: this.#refusal.reason,
        },
      ),
    );
  }

  /** Bytes that were submitted and are not delivered. */
  get queuedBytes(): number {
    return this.#queued;
  }

  /** The time of the oldest undelivered batch; undefined if there is none. */
  get oldest(): number | undefined {
    return this.#queue[0]?.madeAt;
  }

  get idle(): boolean {
    return this.#queue.length === 0;
  }

  submit(batch: Batch): void {
    this.#queue.push(batch);
    this.#queued += batch.payload.length;
    this.#working ??= this.#work();
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

  /** Aborts deliveries in progress; they stay unacknowledged. */
  async close(): Promise<void> {
    this.#ending.abort();
    await this.#working;
    await this.output.close?.();
  }

  async #work(): Promise<void> {
    for (let batch = this.#queue[0]; batch; batch = this.#queue[0]) {
      if (!(await this.#deliver(batch))) break;
      this.#queue.shift();
      this.#queued -= batch.payload.length;
      this.#options.onDelivered(batch);
      if (this.#queue.length === 0 && !this.#ending.signal.aborted) this.#options.onIdle();
      this.#onChange.resolve();
      this.#onChange = Promise.withResolvers();
    }
    // In the same turn as the last read of the queue: a later batch starts it again.
    this.#working = undefined;
  }

  /** Delivers a batch in as few segments as the receiver accepts; false if it was aborted. */
  async #deliver({ payload, count }: Batch): Promise<boolean> {
    if (count === 0) return true;
    const pending: Segment[] = [{ bytes: payload.bytes, count }];
    // Requests in search of the records at fault; one bad record needs 1 + 2·log₂(n).
    let searches = Math.max(1, Math.floor(4 * Math.log2(count)));
    let searching = false;
    for (let segment = pending.pop(); segment; segment = pending.pop()) {
      if (segment.count > 1 && segment.bytes.length > this.#largestBody()) {
        pending.push(...halves(segment).reverse());
        continue;
      }
      if (searching && searches <= 0) {
        await this.#refuse(segment, `not tried on its own after: ${this.#refusal.reason}`);
        continue;
      }
      const outcome = await this.#attempt(segment);
      if (outcome === undefined) return false;
      searches--;
      if (outcome.accepted) this.#accept(segment, outcome);
      else if (segment.count === 1) await this.#refuse(segment, outcome.reason);
      else {
        if (outcome.tooLarge) {
          this.#ceiling = Math.floor(segment.bytes.length / 2);
          this.#ceilingSince = this.#options.now();
          searches++;
        } else {
          searching = true;
          this.#refusal = { reason: outcome.reason, parked: false };
        }
        pending.push(...halves(segment).reverse());
      }
    }
    return true;
  }

  #largestBody(): number {
    if (this.#options.now() - this.#ceilingSince >= REMEMBER_SIZE) {
      this.#ceiling = Number.POSITIVE_INFINITY;
    }
    return this.#ceiling;
  }

  /** Retries until the output has accepted or refused a segment; undefined if it was aborted. */
  async #attempt(segment: Segment): Promise<Outcome | undefined> {
    const { retry, metrics, condition } = this.#options;
    const { signal } = this.#ending;
    for (this.#attempts = 0; !signal.aborted; ) {
      try {
        const outcome = await this.output.deliver(segment, signal);
        condition.pass();
        return outcome;
      } catch (error) {
        if (signal.aborted) return undefined;
        this.#failure = errorText(error);
        condition.warn(this.#failure);
        metrics.retries.with({ output: this.output.name }).inc();
        const asked = error instanceof RetryError ? (error.after ?? 0) : 0;
        const wait = fullJitter(this.#attempts++, retry);
        this.#logRetry();
        await pause(Math.max(wait, Math.min(asked, retry.cap * LONGEST_ASKED)), signal);
      }
    }
    return undefined;
  }

  #accept(
    { count }: Segment,
    { warning, rejected: claimed = 0 }: Outcome & { accepted: true },
  ): void {
    const { metrics, log } = this.#options;
    const output = this.output.name;
    // The receiver may claim any number, and counters only grow.
    const rejected = Math.min(count, Math.max(0, Math.trunc(claimed)));
    metrics.delivered.with({ output }).inc(count - rejected);
    if (rejected > 0) metrics.droppedRecords.with({ cause: 'rejected', output }).inc(rejected);
    if (warning === undefined) return;
    log.warn('an output accepted records with a warning', {
      event: 'output_warning',
      output,
      warning,
    });
  }

  /** Parks or drops records that will never be accepted, and counts them. */
  async #refuse(segment: Segment, reason: string): Promise<void> {
    const { metrics, log, park } = this.#options;
    const output = this.output.name;
    let parked = false;
    try {
      parked = (await park?.(this.output, segment, reason)) ?? false;
    } catch (error) {
      log.error('records could not be parked', {
        event: 'park_failed',
        output,
        error: errorText(error),
      });
    }
    const cause = parked ? 'parked' : 'refused';
    metrics.droppedRecords.with({ cause, output }).inc(segment.count);
    this.#refusal = { reason, parked };
    this.#logRefusal();
  }
}
