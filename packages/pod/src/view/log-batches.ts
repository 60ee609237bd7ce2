import type { LogBatch, LogLine } from './model.ts';

/** Lines are sent together at this interval, in milliseconds. */
const INTERVAL = 100;
/** The most lines and characters of one batch; more are counted and skipped. */
const MAX_LINES = 1000;
const MAX_CHARACTERS = 512 * 1024;

/** Collects log lines into bounded batches, so that a flood slows neither server nor page. */
export class LogBatches {
  readonly #send: (batch: LogBatch) => void;
  #lines: LogLine[] = [];
  #characters = 0;
  #skipped = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(send: (batch: LogBatch) => void) {
    this.#send = send;
  }

  add(line: LogLine): void {
    this.#timer ??= setTimeout(() => this.#flush(), INTERVAL);
    if (this.#lines.length >= MAX_LINES || this.#characters >= MAX_CHARACTERS) {
      this.#skipped++;
      return;
    }
    this.#lines.push(line);
    this.#characters += line.text.length;
  }

  #flush() {
    this.#timer = undefined;
    this.#send({ lines: this.#lines, skipped: this.#skipped });
    this.#lines = [];
    this.#characters = 0;
    this.#skipped = 0;
  }

  close(): void {
    clearTimeout(this.#timer);
  }
}
