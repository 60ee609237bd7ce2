import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventually, startProgram, type TestProcess } from '@sidekit/test-kit';
import type { Subject } from './loss-model.ts';

/** The adapter as a process, which polls by itself and can be killed. */
export class RealProcess implements Subject {
  readonly #process: TestProcess;

  /** @param options those of a configuration file. */
  constructor(directory: string, options: Readonly<Record<string, unknown>>) {
    const config = join(directory, 'config.json');
    writeFileSync(config, JSON.stringify(options));
    this.#process = startProgram(new URL('../main.ts', import.meta.url), [
      ...['--config', config, '--state', join(directory, 'state')],
      ...['--admin', '127.0.0.1:0', '--log-level', 'info', '--poll-interval', '20ms'],
      ...['--partial-flush', '50ms', '--checkpoint-interval', '20ms'],
      ...['--retry-base', '1ms', '--retry-cap', '20ms'],
    ]);
  }

  /** Waits until it is running; what it has read is unknown. */
  async poll(): Promise<boolean> {
    await this.#process.event('starting', 60_000);
    return false;
  }

  async settle(done: () => boolean): Promise<void> {
    try {
      // On a loaded machine its start alone may take half a minute.
      await this.#process.event('starting', 120_000);
      await eventually(done, { what: 'everything is delivered', interval: 5 });
    } catch (cause) {
      throw new Error(`not everything is delivered by ${this.#process.stderr}`, { cause });
    }
  }

  async stop(): Promise<void> {
    await this.#process.event('starting', 60_000);
    this.#process.kill('SIGTERM');
    assert.deepEqual(await this.#process.exited, { code: 0, signal: null }, this.#process.stderr);
  }

  async crash(): Promise<void> {
    this.#process.kill('SIGKILL');
    await this.#process.exited;
  }
}
