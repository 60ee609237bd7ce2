import events from 'node:events';
import { type Condition, errorText, fullJitter, type Log, monotonic, pause } from '@sidekit/core';
import { Failure } from '../failure.ts';
import type { Metrics } from '../metrics.ts';
import type { Notifier } from '../notify/notifier.ts';
import type { FileSpec } from '../options/file-spec.ts';
import type { Target } from '../publish/target.ts';
import type { Source } from '../source/source.ts';
import type { Slots } from './slots.ts';
import { lockTarget } from './target-lock.ts';
import { Waking } from './waking.ts';

/** The shortest mean pause after a failure, in milliseconds; it doubles from there. */
const RETRY_BASE = 500;

/** The same if the source changed while it was read: it will be consistent again soon. */
const CHANGED_BASE = 20;

export interface FollowerParts {
  readonly spec: FileSpec;
  readonly source: Source;
  readonly target: Target;
  readonly notifier: Notifier | undefined;
  readonly slots: Slots;
  readonly condition: Condition;
  readonly metrics: Metrics;
  readonly log: Log;
}

/** Keeps one target equal to its source: check, publish, notify, wait. */
export class Follower {
  readonly #parts: FollowerParts;
  readonly #waking = new Waking();
  #locked = false;
  #prepared = false;
  #failures = 0;
  #lastMessage = '';
  /** Remarks on the published content, logged once and listed in `/readyz`. */
  #warnings = '';
  #contentWarnings: readonly string[] = [];
  /** The target has usable content: from then on an outage is only a warning. */
  #hasContent = false;

  constructor(parts: FollowerParts) {
    this.#parts = parts;
  }

  get target(): string {
    return this.#parts.spec.target;
  }

  /** The reason why the last check failed; empty if it succeeded. */
  get failure(): string {
    return this.#lastMessage;
  }

  /** Whether the target has usable content, of this or an earlier run. */
  get hasContent(): boolean {
    return this.#hasContent;
  }

  /** Prepares the target; if that fails, the first check reports it and tries again. */
  async open(): Promise<void> {
    await this.#prepare().catch(() => {});
  }

  /** Locks the target, removes leftovers of a crash, and finds earlier content. */
  async #prepare(): Promise<void> {
    if (this.#prepared) return;
    const { spec, target, condition, notifier, log } = this.#parts;
    if (!this.#locked) await lockTarget(spec.target, spec.directoryMode);
    this.#locked = true;
    const swept = await target.open();
    if (swept > 0) {
      log.info('removed leftovers of an earlier crash', { event: 'swept', files: swept });
    }
    await notifier?.open(target.current?.digest);
    this.#prepared = true;
    if (spec.readyWhen === 'fresh' || !target.current) return;
    this.#hasContent = true;
    condition.warn('serving content of an earlier run');
  }

  /** Checks at every interval, or after a growing pause when checks fail, until the stop. */
  async follow(signal: AbortSignal): Promise<void> {
    const { spec, source } = this.#parts;
    const { interval } = spec;
    source.watch?.(() => this.checkNow(), signal).catch((error) => this.#watchFailed(error));
    let due = monotonic();
    while (!signal.aborted) {
      const wait = await this.check(signal);
      const now = monotonic();
      // Counted from when the check was due, so that a clock does not drift; missed ones are skipped.
      due = wait === undefined ? Math.max(due + this.#shortened(interval), now) : now + wait;
      if (await this.#waking.pause(due - now, signal)) due = monotonic();
    }
  }

  /** Makes the next check due now; one that runs already is followed by another. */
  checkNow(): void {
    this.#waking.wake();
  }

  #watchFailed(error: unknown): void {
    this.#parts.log.warn('the source cannot be watched; it is polled only', {
      event: 'watch_failed',
      error: errorText(error),
    });
  }

  /** Checks until one check has succeeded. @returns false if the stop came first. */
  async once(signal: AbortSignal): Promise<boolean> {
    for (;;) {
      const wait = await this.check(signal);
      if (wait === undefined) {
        const aborted = signal.aborted || events.once(signal, 'abort');
        await Promise.race([this.#parts.notifier?.settled(), aborted]);
        return true;
      }
      if (!(await pause(wait, signal))) return false;
    }
  }

  /** Checks once. @returns the pause before the next try; undefined if it succeeded. */
  async check(stopping: AbortSignal): Promise<number | undefined> {
    const { spec, slots, metrics } = this.#parts;
    const { target } = spec;
    return await slots.run(async () => {
      if (stopping.aborted) return 0;
      const start = monotonic();
      // Not AbortSignal.timeout: a thousand files would leave as many timers a second behind.
      const controller = new AbortController();
      const abort = () => controller.abort();
      const timer = setTimeout(abort, spec.timeout);
      stopping.addEventListener('abort', abort, { once: true });
      try {
        const changed = await this.#update(controller.signal);
        metrics.polls.with({ target, result: changed ? 'changed' : 'unchanged' }).inc();
        this.#succeeded();
        return undefined;
      } catch (error) {
        if (stopping.aborted) return 0;
        const failure = controller.signal.aborted ? tooLate(spec) : error;
        metrics.polls.with({ target, result: 'failed' }).inc();
        return this.#failed(failure);
      } finally {
        clearTimeout(timer);
        stopping.removeEventListener('abort', abort);
        metrics.duration.observe((monotonic() - start) / 1000);
      }
    });
  }

  async #update(signal: AbortSignal): Promise<boolean> {
    const { spec, source, target, notifier, metrics, log } = this.#parts;
    await this.#prepare();
    const fresh = !(await target.intact());
    const content = await source.poll({ signal, fresh });
    if (!content) {
      this.#remark();
      return false;
    }
    const outcome = await target.publish(content);
    this.#contentWarnings = [
      ...((content.kind === 'tree' && content.warnings?.()) || []),
      ...(outcome.skippedLinks
        ? [`${outcome.skippedLinks} symbolic links that lead out of the tree were skipped`]
        : []),
      ...(outcome.protectedLink
        ? [
            `readers of another user cannot follow ${spec.target}: its directory is sticky and writable for all (as emptyDir with medium: Memory is), so put the target in a directory below it`,
          ]
        : []),
    ];
    this.#remark();
    if (!outcome.changed) return false;
    const labels = { target: spec.target };
    metrics.bytes.with(labels).inc(outcome.size);
    metrics.size.with(labels).set(outcome.size);
    metrics.lastChange.with(labels).set(Date.now() / 1000);
    const record = spec.source === 'clock' ? log.debug : log.info;
    record('published', { event: 'published', bytes: outcome.size, digest: outcome.digest });
    notifier?.changed(outcome.digest);
    return true;
  }

  #remark(): void {
    const current = this.#parts.source.warnings?.() ?? [];
    const text = [...current, ...this.#contentWarnings].join('; ');
    if (text !== '' && text !== this.#warnings) {
      this.#parts.log.warn(text, { event: 'content_warning' });
    }
    this.#warnings = text;
  }

  #succeeded(): void {
    const { spec, condition, metrics, log } = this.#parts;
    if (this.#failures > 0) log.info('recovered', { event: 'recovered', failures: this.#failures });
    if (this.#warnings) condition.warn(this.#warnings);
    else condition.pass();
    this.#failures = 0;
    this.#lastMessage = '';
    this.#hasContent = true;
    metrics.failing.with({ target: spec.target }).set(0);
    metrics.lastSuccess.with({ target: spec.target }).set(Date.now() / 1000);
  }

  #failed(error: unknown): number {
    const { spec, condition, metrics, log } = this.#parts;
    const { target, retryMax } = spec;
    const reason = error instanceof Failure ? error.reason : 'internal';
    const message = errorText(error);
    metrics.failures.with({ target, reason }).inc();
    metrics.failing.with({ target }).set(1);
    const base = reason === 'changed_meanwhile' ? CHANGED_BASE : RETRY_BASE;
    const wait = fullJitter(this.#failures++, { base, cap: retryMax });
    const asked = error instanceof Failure ? (error.retryAfter ?? 0) : 0;
    const retryIn = Math.round(Math.min(retryMax, Math.max(wait, asked)));
    // One line for each new message; the metric counts the rest.
    if (message !== this.#lastMessage) {
      this.#lastMessage = message;
      const kept = this.#hasContent ? 'the old content stays' : 'there is no content yet';
      log.warn(message, { event: 'check_failed', reason, kept, retryIn });
      if (reason === 'internal')
        log.error('unexpected error', { event: 'unexpected_error', stack: (error as Error).stack });
    }
    if (this.#hasContent) condition.warn(message);
    else condition.fail(message);
    return retryIn;
  }

  #shortened(interval: number): number {
    const { source, jitter } = this.#parts.spec;
    return source === 'clock' ? interval : interval * (1 - jitter * Math.random());
  }
}

function tooLate({ timeout, target }: FileSpec): Failure {
  return new Failure(
    'timeout',
    `${target} could not be updated within ${timeout} ms: raise --timeout, or check the source`,
  );
}
