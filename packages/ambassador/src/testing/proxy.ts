import { type Log, Registry, silentLog, valuesOf } from '@sidekit/core';
import { until } from '@sidekit/test-kit';
import { Clock } from '../clock.ts';
import { environment } from '../configuration.ts';
import { Listeners } from '../listeners.ts';
import { listenersOf, table } from '../options.ts';

/** An ambassador inside the test's process, on ports of the kernel's choice. */
export class TestProxy implements AsyncDisposable {
  readonly metrics: Registry;
  readonly listeners: Listeners;
  readonly #clock: Clock;
  readonly #closeLog: () => unknown;

  private constructor(
    metrics: Registry,
    listeners: Listeners,
    clock: Clock,
    closeLog: () => unknown,
  ) {
    this.metrics = metrics;
    this.listeners = listeners;
    this.#clock = clock;
    this.#closeLog = closeLog;
  }

  /** Starts one with options as a file would have them. */
  static async start(data: Record<string, unknown>, log: Log = silentLog): Promise<TestProxy> {
    const values = valuesOf(table, { listen: '127.0.0.1:0', ...data });
    const metrics = new Registry();
    const clock = new Clock();
    const env = environment(values, clock, log, metrics);
    const listeners = new Listeners(env);
    await listeners.apply(listenersOf(values));
    return new TestProxy(metrics, listeners, clock, () => env.accessLog?.close());
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

  /** The value of a metric whose line starts so. */
  metric(start: string): number {
    const line = this.metrics
      .render()
      .split('\n')
      .find((one) => one.startsWith(start));
    return line === undefined ? 0 : Number(line.split(' ').at(-1));
  }

  /** Waits until no request is under way and no upstream connection is busy. */
  settled(): Promise<unknown> {
    return until(
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
