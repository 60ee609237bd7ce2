import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { type Context, errorText, kubernetesServer, monotonic, pause } from '@sidekit/core';
import { type LeaderMetrics, registerLeaderMetrics } from '../metrics.ts';
import type { table } from '../options.ts';
import { type Attempt, Elector, type Term } from './elector.ts';
import { KubernetesLease } from './lease-api.ts';
import type { LeadershipOptions } from './options.ts';
import { TermFile } from './term-file.ts';

/** How long the release of the Lease at a stop may take, in milliseconds. */
const RELEASE = 3000;

/** Called at each change, one after the other: with the term, or with undefined when it is over. */
export type LeadershipChanged = (term: Term | undefined) => Promise<void>;

/**
 * Takes part in an election for as long as the program runs. The rest of the program knows a term
 * once its token is in the file.
 */
export class Leadership {
  readonly #elector: Elector;
  readonly #api: KubernetesLease;
  readonly #file: TermFile;
  readonly #identity = `${hostname()}_${randomUUID()}`;
  readonly #log: Context<typeof table.options>['log'];
  readonly #health: Context<typeof table.options>['health'];
  readonly #metrics: LeaderMetrics;
  readonly #ready: ReturnType<Context<typeof table.options>['health']['condition']> | undefined;
  readonly #changed: LeadershipChanged;
  readonly #ended = new AbortController();
  #term: Term | undefined;
  #failure: string | undefined;
  #changes: Promise<void> = Promise.resolve();
  #running: Promise<void> | undefined;

  constructor(
    options: LeadershipOptions,
    { log, health, metrics }: Context<typeof table.options>,
    changed: LeadershipChanged,
  ) {
    this.#log = log;
    this.#health = health;
    this.#changed = changed;
    this.#api = new KubernetesLease({
      ...options,
      server: kubernetesServer() ?? '',
      timeout: options.renewDeadline / 2,
    });
    this.#file = new TermFile(options.tokenFile, health.warning('token file'), log);
    this.#ready = options.ready ? health.condition('leadership', 'ready') : undefined;
    this.#ready?.fail('another replica leads, or none yet');
    this.#metrics = registerLeaderMetrics(metrics, () => this.term !== undefined);
    this.#elector = new Elector({
      ...options,
      api: this.#api,
      clock: { now: monotonic, wall: Date.now, pause },
      identity: this.#identity,
      gained: (term) => this.#gained(term),
      lost: (reason) => this.#lost(reason),
      attempted: (attempt) => this.#attempted(attempt),
    });
  }

  /** The current term, once its token is in the file; undefined if this replica does not lead. */
  get term(): Term | undefined {
    return this.#term?.holds() ? this.#term : undefined;
  }

  /** The state in the form of `/leader` and `/state`. */
  get state(): object {
    const term = this.term;
    return {
      leading: term !== undefined,
      token: term?.token ?? null,
      identity: this.#identity,
      holder: this.#elector.holder || null,
    };
  }

  /** Begins. A token file that a crash has left is removed first. */
  async start(): Promise<void> {
    await this.#file.remove();
    this.#running = this.#elector.run(this.#ended.signal);
  }

  /** Ends the term, then frees the Lease for the other replicas. */
  async stop(): Promise<void> {
    this.#ended.abort();
    await this.#running;
    if (this.#elector.term) {
      await this.#elector.release(AbortSignal.timeout(RELEASE)).catch((error) =>
        this.#log.warn('the lease was not released, so others wait until it has expired', {
          event: 'lease_not_released',
          error: errorText(error),
        }),
      );
    }
    await this.#changes;
    this.#api.close();
  }

  #gained(term: Term): void {
    this.#then(async () => {
      if (!(await this.#file.write(term))) return;
      this.#term = term;
      this.#ready?.pass();
      this.#metrics.changes.with({ change: 'gained' }).inc();
      this.#log.info('this replica leads', { event: 'leadership_gained', token: term.token });
      await this.#changed(term);
    });
  }

  #lost(reason: string): void {
    this.#ready?.fail(reason);
    this.#then(async () => {
      await this.#file.remove();
      const term = this.#term;
      if (!term) return;
      this.#term = undefined;
      this.#metrics.changes.with({ change: 'lost' }).inc();
      const fields = { token: term.token, reason };
      this.#log.warn('this replica no longer leads', { event: 'leadership_lost', ...fields });
      await this.#changed(undefined);
    });
  }

  /** Changes are handled one after the other, in their order. */
  #then(change: () => Promise<void>): void {
    this.#changes = this.#changes.then(change);
  }

  /** One log record a failure, not one an attempt. */
  #attempted(attempt: Attempt): void {
    const result = attempt instanceof Error ? 'failed' : attempt;
    this.#metrics.attempts.with({ result }).inc();
    const failure = attempt instanceof Error ? errorText(attempt) : undefined;
    const warning = this.#health.warning('lease');
    if (failure !== undefined) warning.set(failure);
    else warning.clear();
    if (failure === this.#failure) return;
    this.#failure = failure;
    if (failure === undefined) this.#log.info('the lease is in reach', { event: 'lease_reached' });
    else this.#log.error('the lease is not in reach', { event: 'lease_failed', error: failure });
  }
}
