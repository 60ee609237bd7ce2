import { readFile } from 'node:fs/promises';
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
import type { FileSpec } from './file-spec.ts';
import { show } from './http/show.ts';
import type { Metrics } from './metrics.ts';

const RETRY_BASE = 500;

type Options = Pick<
  FileSpec,
  'notifyMethod' | 'notifyStatus' | 'notifyTimeout' | 'notifyFirst' | 'retryMax' | 'target'
>;

/**
 * Tells the app of new content until it accepts. What it has accepted is kept in a file beside
 * the target, apart from the content: neither a restart between publishing and telling nor a
 * return to earlier content loses a notification.
 */
export class Notifier {
  readonly #url: string;
  readonly #options: Options;
  readonly #write: AtomicFileOptions;
  readonly #metrics: Metrics;
  readonly #log: Log;
  readonly #stopping: AbortSignal;
  #told: string | undefined;
  #wanted: string | undefined;
  #telling: Promise<void> = Promise.resolve();
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

  /** The file that remembers what the app has accepted. */
  get stateFile(): string {
    const { target } = this.#options;
    return join(dirname(target), `.${basename(target)}.notified`);
  }

  /** Reads what was accepted before, and goes on telling if that is not what is there now. */
  async open(current: string | undefined): Promise<void> {
    this.#told = await readFile(this.stateFile, 'utf8').then(
      (text) => text.trim(),
      () => undefined,
    );
    if (current === undefined || this.#told === undefined || this.#told === current) return;
    this.changed(current);
  }

  /** Tells of new content; while an older notification is on its way, once more after it. */
  changed(digest: string): void {
    const first = this.#told === undefined && this.#wanted === undefined;
    this.#wanted = digest;
    this.#metrics.pendingNotifications.with({ target: this.#options.target }).set(1);
    if (first && !this.#options.notifyFirst) {
      this.#telling = this.#remember(digest);
    } else if (!this.#active) {
      this.#active = true;
      this.#telling = this.#telling
        .then(() => this.#tell())
        .finally(() => {
          this.#active = false;
        });
    }
  }

  /** Resolves when nothing is left to tell, or the stop came. */
  async settled(): Promise<void> {
    await this.#telling;
  }

  async #tell(): Promise<void> {
    let failures = 0;
    while (this.#wanted !== undefined && !this.#stopping.aborted) {
      const digest = this.#wanted;
      const problem = await this.#request();
      const { target, retryMax } = this.#options;
      const result = problem === undefined ? 'accepted' : 'failed';
      this.#metrics.notifications.with({ target, result }).inc();
      if (problem === undefined) {
        failures = 0;
        this.#log.info('notified', { url: show(this.#url) });
        await this.#remember(digest);
        continue;
      }
      if (this.#stopping.aborted) return;
      const retryIn = Math.round(fullJitter(failures, { base: RETRY_BASE, cap: retryMax }));
      if (failures++ === 0)
        this.#log.warn('the notification was not accepted', { error: problem, retryIn });
      await pause(retryIn, this.#stopping);
    }
  }

  /** @returns what was wrong; undefined where the app accepted. */
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
    this.#told = digest;
    if (this.#wanted === digest) {
      this.#wanted = undefined;
      this.#metrics.pendingNotifications.with({ target: this.#options.target }).set(0);
    }
    try {
      await writeFileAtomic(this.stateFile, `${digest}\n`, { ...this.#write, mode: 0o600 });
    } catch (error) {
      this.#log.warn('the notification state was not kept; a restart may notify again', {
        path: this.stateFile,
        error: errorText(error),
      });
    }
  }
}
