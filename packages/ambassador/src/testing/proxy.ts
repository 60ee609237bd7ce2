import { Health, type Log, Registry, silentLog } from '@sidekit/core';
import { valuesOf } from '@sidekit/core/testing';
import { eventually } from '@sidekit/test-kit';
import type { MemoryBudget } from '../memory/memory-budget.ts';
import { reportMemory } from '../observe/memory-report.ts';
import { listenersOf, table } from '../options/table.ts';
import { environment } from '../server/configuration.ts';
import { Listeners } from '../server/listeners.ts';
import { Clock } from '../time/clock.ts';

/** Runs an ambassador inside the test's process, on free ports. */
export class TestProxy implements AsyncDisposable {
  readonly metrics: Registry;
  readonly listeners: Listeners;
  readonly memory: MemoryBudget;
  readonly #clock: Clock;
  readonly #closeLog: () => unknown;

  private constructor(
    metrics: Registry,
    listeners: Listeners,
    memory: MemoryBudget,
    clock: Clock,
    closeLog: () => unknown,
  ) {
    this.metrics = metrics;
    this.listeners = listeners;
    this.memory = memory;
    this.#clock = clock;
    this.#closeLog = closeLog;
  }

  /**
   * Starts one with the options of a file.
   * @param limit of its memory, in bytes.
   */
  static async start(
    data: Record<string, unknown>,
    log: Log = silentLog,
    limit?: number,
  ): Promise<TestProxy> {
    const values = valuesOf(table, { listen: '127.0.0.1:0', ...data });
    const metrics = new Registry();
    const clock = new Clock();
    const health = new Health();
    const env = environment(values, clock, { log, metrics, health }, {}, limit);
    reportMemory(env.memory, { log, metrics, health });
    const listeners = new Listeners(env);
    await listeners.apply(listenersOf(values));
    return new TestProxy(metrics, listeners, env.memory, clock, async () => {
      await env.accessLog?.close();
      await env.spans?.close();
    });
  }

  get port(): number {
    return Number(Object.values(this.listeners.addresses)[0]!.split(':').at(-1));
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Applies changed options. */
  async reload(data: Record<string, unknown>): Promise<void> {
    await this.listeners.apply(listenersOf(valuesOf(table, { listen: '127.0.0.1:0', ...data })));
  }

  /** Returns the value of the metric whose line starts with `start`. */
  metric(start: string): number {
    const line = this.metrics
      .render()
      .split('\n')
      .find((one) => one.startsWith(start));
    return line === undefined ? 0 : Number(line.split(' ').at(-1));
  }

  /** Waits until no request is in progress and no upstream connection is busy. */
  settled(): Promise<unknown> {
    return eventually(
      () =>
        this.metric('http_server_active_requests{listener="main"}') === 0 &&
        this.listeners.clusters[0]!.cluster.endpoints.every(
          (one) => one.pending === 0 && one.connections === one.idleConnections,
        ),
      { what: 'everything has ended', timeout: 30_000 },
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.listeners.destroy();
    this.#clock.close();
    await this.#closeLog();
  }
}
