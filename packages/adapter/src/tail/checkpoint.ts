import { type Condition, errorText, type Log, throttle } from '@sidekit/core';
import type { AdapterMetrics } from '../observe/own-counters.ts';
import type { StateFile } from '../state/state-file.ts';
import type { Catalogue } from './catalogue.ts';

export interface CheckpointOptions {
  readonly file: StateFile;
  readonly catalogue: Catalogue;
  /** The least time between two writes, in milliseconds. */
  readonly interval: number;
  readonly metrics: AdapterMetrics;
  readonly condition: Condition;
  readonly log: Log;
}

/** The pause after a failed write, in milliseconds. */
const RETRY = 1_000;

/** Writes the state soon after a delivery, and continues if that fails. */
export class Checkpoint {
  readonly #options: CheckpointOptions;
  readonly #complain: () => void;
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();
  #failure = '';
  #abandoned = false;

  constructor(options: CheckpointOptions) {
    this.#options = options;
    this.#complain = throttle(60_000, () =>
      options.log.error('the state cannot be written: a restart would deliver more records twice', {
        event: 'state_write_failed',
        path: options.file.path,
        error: this.#failure,
      }),
    );
  }

  /** Schedules a write within the interval. */
  soon(least = 0): void {
    this.#timer ??= setTimeout(
      () => {
        this.#timer = undefined;
        void this.now();
      },
      Math.max(least, this.#options.interval),
    );
  }

  /** Writes what was delivered so far; never rejects. */
  now(): Promise<void> {
    this.#writing = this.#writing.then(() => this.#write());
    return this.#writing;
  }

  async close(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    await this.now();
    clearTimeout(this.#timer);
  }

  /** Stops immediately, as a crash does. */
  abandon(): void {
    this.#abandoned = true;
    clearTimeout(this.#timer);
  }

  async #write(): Promise<void> {
    if (this.#abandoned) return;
    const { file, catalogue, metrics, condition } = this.#options;
    try {
      const saved = Array.from(catalogue.generations(), (generation) => generation.save());
      if (await file.save(saved)) metrics.checkpoints.inc();
      condition.pass();
    } catch (error) {
      this.#failure = errorText(error);
      metrics.checkpointFailures.inc();
      condition.warn(`cannot be written: ${this.#failure}`);
      this.#complain();
      this.soon(RETRY);
    }
  }
}
