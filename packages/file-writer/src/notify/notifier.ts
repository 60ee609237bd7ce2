import { basename, dirname, join } from 'node:path';
import {
  type AtomicFileOptions,
  errorText,
  fullJitter,
  type Log,
  pause,
  writeFileAtomic,
} from '@sidekit/core';
import { readRegularFile } from '../io/regular-file.ts';
import type { Metrics } from '../metrics.ts';
import type { FileSpec } from '../options/file-spec.ts';

const RETRY_BASE = 500;

type Options = Pick<FileSpec, 'notifyFirst' | 'retryMax' | 'target'>;

/** New content, told apart from an earlier publication of the same. */
export interface Change {
  readonly digest: string;
}

/**
 * Notifies once; a new try for the same change has the same object. Returns the problem; undefined
 * if the application accepted.
 */
export type Send = (signal: AbortSignal, change: Change) => Promise<string | undefined>;

/**
 * Notifies the application of new content until it accepts. The last accepted content is recorded
 * in a file next to the target: neither a restart between publishing and notifying nor a return to
 * earlier content loses a notification.
 */
export class Notifier {
  readonly #send: Send;
  readonly #options: Options;
  readonly #write: AtomicFileOptions;
  readonly #metrics: Metrics;
  readonly #log: Log;
  readonly #stopping: AbortSignal;
  #accepted: string | undefined;
  #wanted: Change | undefined;
  #notifying: Promise<void> = Promise.resolve();
  #active = false;

  constructor(
    send: Send,
    options: Options,
    parts: {
      readonly write: AtomicFileOptions;
      readonly metrics: Metrics;
      readonly log: Log;
      readonly stopping: AbortSignal;
    },
  ) {
    this.#send = send;
    this.#options = options;
    this.#write = parts.write;
    this.#metrics = parts.metrics;
    this.#log = parts.log;
    this.#stopping = parts.stopping;
  }

  /** The file that records which content the application has accepted. */
  get stateFile(): string {
    const { target } = this.#options;
    return join(dirname(target), `.${basename(target)}.notified`);
  }

  /**
   * Reads the record of an earlier run, and notifies if other content is published now. Without a
   * record, an earlier run may have ended before the first notification was accepted.
   */
  async open(current: string | undefined): Promise<void> {
    this.#accepted = await readRegularFile(this.stateFile, 1024).then(
      (text) => text.toString().trim(),
      () => undefined,
    );
    if (current === undefined || this.#accepted === current) return;
    if (this.#accepted !== undefined || this.#options.notifyFirst) this.changed(current);
  }

  /** Notifies of new content; while an older notification is pending, once more after it. */
  changed(digest: string): void {
    const first = this.#accepted === undefined && this.#wanted === undefined;
    const change = { digest };
    this.#wanted = change;
    this.#metrics.pendingNotifications.with({ target: this.#options.target }).set(1);
    if (first && !this.#options.notifyFirst) {
      this.#notifying = this.#remember(change);
    } else if (!this.#active) {
      this.#active = true;
      this.#notifying = this.#notifying
        .then(() => this.#notify())
        .finally(() => {
          this.#active = false;
        });
    }
  }

  /** Resolves when no notification is pending, or the sidecar stops. */
  async settled(): Promise<void> {
    await this.#notifying;
  }

  async #notify(): Promise<void> {
    let failures = 0;
    while (this.#wanted !== undefined && !this.#stopping.aborted) {
      const change = this.#wanted;
      const problem = await this.#send(this.#stopping, change);
      const { target, retryMax } = this.#options;
      const result = problem === undefined ? 'accepted' : 'failed';
      this.#metrics.notifications.with({ target, result }).inc();
      if (problem === undefined) {
        failures = 0;
        await this.#remember(change);
        this.#log.info('notified', { event: 'notified' });
        continue;
      }
      if (this.#stopping.aborted) return;
      const retryIn = Math.round(fullJitter(failures, { base: RETRY_BASE, cap: retryMax }));
      if (failures++ === 0)
        this.#log.warn('the notification was not accepted', {
          event: 'notify_failed',
          error: problem,
          retryIn,
        });
      await pause(retryIn, this.#stopping);
    }
  }

  async #remember(change: Change): Promise<void> {
    const { digest } = change;
    this.#accepted = digest;
    if (this.#wanted === change) {
      this.#wanted = undefined;
      this.#metrics.pendingNotifications.with({ target: this.#options.target }).set(0);
    }
    try {
      await writeFileAtomic(this.stateFile, `${digest}\n`, { ...this.#write, mode: 0o600 });
    } catch (error) {
      this.#log.warn('the notification state could not be saved; a restart may notify again', {
        event: 'notify_state_not_saved',
        path: this.stateFile,
        error: errorText(error),
      });
    }
  }
}
