import { join } from 'node:path';
import { Health, Registry, silentLog } from '@sidekit/core';
import { valuesOf } from '@sidekit/core/testing';
import { eventually } from '@sidekit/test-kit';
import { adapterTable } from '../options/table.ts';
import { type Reading, startReading } from '../read/start-reading.ts';

/** An adapter in this process whose polls and clock are controlled by the test. */
export class HandDriven {
  readonly registry: Registry = new Registry();
  readonly health: Health = new Health();
  readonly #running: Reading;

  constructor(
    directory: string,
    options: Readonly<Record<string, unknown>>,
    clock: { readonly now: number; readonly wall?: number },
    log = silentLog,
    mostOpen?: number,
  ) {
    const values = valuesOf(adapterTable, {
      state: join(directory, 'state'),
      retryBase: '1ms',
      retryCap: '2ms',
      checkpointInterval: 0,
      gracePeriod: '5s',
      ...options,
    });
    this.#running = startReading(
      { options: values, log, metrics: this.registry, health: this.health },
      {
        follow: false,
        now: () => clock.now,
        wall: () => clock.wall ?? clock.now,
        ...(mostOpen === undefined ? {} : { mostOpen }),
      },
    );
  }

  /** Polls once. */
  async poll(): Promise<boolean> {
    await this.#running.tailer.pass();
    return true;
  }

  /** Polls until everything is read, delivered and saved. */
  async settle(): Promise<void> {
    do await this.#running.settled();
    while (await this.#running.tailer.pass());
    await this.#running.settled();
  }

  /** Waits until a metric has reached a value. */
  async until(metric: string, reached: (value: number) => boolean): Promise<void> {
    await eventually(() => reached(this.metric(metric)), { what: metric, interval: 5 });
  }

  stop(): Promise<void> {
    return this.#running.stop();
  }

  crash(): Promise<void> {
    return this.#running.crash();
  }

  /** The value of a metric without labels. */
  metric(name: string): number {
    const line = this.registry
      .render()
      .split('\n')
      .find((one) => one.startsWith(`${name} `) || one.startsWith(`${name}{`));
    return Number(line?.split(' ').at(-1) ?? Number.NaN);
  }
}
