import { basename, dirname, join } from 'node:path';
import {
  type AtomicFileOptions,
  errorText,
  fullJitter,
  type Log,
  pause,
  send,
  writeFileAtomic,
} from '@sidekit/core';
import { show } from '../http/show.ts';
import { readRegularFile } from '../io/regular-file.ts';
import type { Metrics } from '../metrics.ts';
import type { FileSpec } from '../options/file-spec.ts';

const RETRY_BASE = 500;

type Options = Pick<
  FileSpec,
  'notifyMethod' | 'notifyStatus' | 'notifyTimeout' | 'notifyFirst' | 'retryMax' | 'target'
>;

/**
 * Notifies the application of new content until it accepts. The last accepted content is recorded
 * in a file next to the target: neither a restart between publishing and notifying nor a return to
 * earlier content loses a notification.
 */
export class Notifier {
  readonly #url: string;
  readonly #options: Options;
  readonly #write: AtomicFileOptions;
  readonly #metrics: Metrics;
  readonly #log: Log;
  readonly #stopping: AbortSignal;
  #accepted: string | undefined;
  #wanted: string | undefined;
  #notifying: Promise<void> = Promise.resolve();
  #active = false;

  constructor(
    url: string,
    options: Options,
    parts: {
      readonly write: AtomicFileOptions;
      readonly metrics: Metrics;
      readonly log: Log;
      readonly stopping: AbortSignal;
    },
  ) {
    this.#url = url;
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

  /** Reads the record of an earlier run, and notifies if other content is published now. */
  async open(current: string | undefined): Promise<void> {
    this.#accepted = await readRegularFile(this.stateFile, 1024).then(
      (text) => text.toString().trim(),
      () => undefined,
    );
    if (current === undefined || this.#accepted === undefined || this.#accepted === current) return;
    this.changed(current);
  }

  /** Notifies of new content; while an older notification is pending, once more after it. */
  changed(digest: string): void {
    const first = this.#accepted === undefined && this.#wanted === undefined;
    this.#wanted = digest;
    this.#metrics.pendingNotifications.with({ target: this.#options.target }).set(1);
    if (first && !this.#options.notifyFirst) {
      this.#notifying = this.#remember(digest);
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
      const digest = this.#wanted;
      const problem = await this.#request();
      const { target, retryMax } = this.#options;
      const result = problem === undefined ? 'accepted' : 'failed';
      this.#metrics.notifications.with({ target, result }).inc();
      if (problem === undefined) {
        failures = 0;
        this.#log.info('notified', { event: 'notified', url: show(this.#url) });
        await this.#remember(digest);
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

  /** @returns the problem; undefined if the application accepted. */
  async #request(): Promise<string | undefined> {
    const { notifyMethod: method, notifyStatus, notifyTimeout: timeout } = this.#options;
    try {
      const { status } = await send(this.#url, { method, timeout, signal: this.#stopping });
      if (notifyStatus.some(({ from, to }) => status >= from && status <= to)) return undefined;
      return `${show(this.#url)} answered ${status}: let the app accept it, or name the status with --notify-status`;
    } catch (error) {
      return `${show(this.#url)}: ${errorText(error)}`;
    }
  }

  async #remember(digest: string): Promise<void> {
    this.#accepted = digest;
    if (this.#wanted === digest) {
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
