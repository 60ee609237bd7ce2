import { monotonic } from '../time/monotonic.ts';
import type { Health } from './health.ts';
import type { Log } from './log.ts';

export interface WatchdogOptions {
  /** The loop in words, for the condition and the log: `delivery`. */
  readonly name: string;
  /** The longest time without progress while there is work, in milliseconds. */
  readonly timeout: number;
  readonly health: Health;
  readonly log: Log;
  /** Monotonic milliseconds; a test passes its own. */
  readonly now?: () => number;
}

/**
 * Watches a loop that must make progress while it has work. One that does not fails `/livez`, so
 * that the kubelet restarts the container, and logs it once (`event: no_progress`); progress
 * makes it alive again.
 */
export class Watchdog {
  readonly #options: WatchdogOptions;
  readonly #now: () => number;
  readonly #condition;
  readonly #timer: NodeJS.Timeout;
  #since: number | undefined;
  #stalled = false;

  constructor(options: WatchdogOptions) {
    this.#options = options;
    this.#now = options.now ?? monotonic;
    this.#condition = options.health.condition(`${options.name} progress`, 'live');
    this.#condition.pass();
    this.#timer = setInterval(() => this.check(), Math.max(10, options.timeout / 4));
    this.#timer.unref();
  }

  /** Says that there is work: from now on progress is due. Further calls change nothing. */
  busy(): void {
    this.#since ??= this.#now();
  }

  /** Says that something was achieved, such as a record that was delivered. */
  progress(): void {
    if (this.#since !== undefined) this.#since = this.#now();
    this.#recover();
  }

  /** Says that there is no work, or that the loop waits for somebody else on purpose. */
  idle(): void {
    this.#since = undefined;
    this.#recover();
  }

  /** Compares the time since the last progress with the timeout; called by a timer. */
  check(): void {
    const { name, timeout, log } = this.#options;
    if (this.#stalled || this.#since === undefined || this.#now() - this.#since <= timeout) return;
    this.#stalled = true;
    const reason = `${name} made no progress for ${timeout} ms`;
    this.#condition.fail(reason);
    log.error(reason, { event: 'no_progress', loop: name, timeout });
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #recover(): void {
    if (!this.#stalled) return;
    this.#stalled = false;
    this.#condition.pass();
    const { name, log } = this.#options;
    log.info(`${name} makes progress again`, { event: 'progress', loop: name });
  }
}
