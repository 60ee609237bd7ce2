import assert from 'node:assert/strict';
import { join } from 'node:path';
import { startProgram, type TestProcess, until } from '@sidekit/test-kit';
import type { Subject } from './loss-model.ts';

/** The adapter as a process of its own, which decides itself when it looks and can be killed. */
export class RealProcess implements Subject {
  readonly #process: TestProcess;

  constructor(directory: string, live: string, output: string) {
    this.#process = startProgram(new URL('../main.ts', import.meta.url), [
      ...['--include', live, '--output', output, '--state', join(directory, 'state')],
      ...['--admin', '127.0.0.1:0', '--log-level', 'info', '--poll-interval', '50ms'],
      ...['--batch-bytes', '1KiB', '--buffer-bytes', '4KiB', '--partial-flush', '200ms'],
      ...['--retry-base', '1ms', '--retry-cap', '20ms', '--checkpoint-interval', '20ms'],
    ]);
  }

  /** Nobody knows what it has seen, only that it is running. */
  async look(): Promise<boolean> {
    await this.#process.logged('starting', 60_000);
    return false;
  }

  async settle(done: () => boolean): Promise<void> {
    await until(done, {
      what: `everything is delivered: ${this.#process.stderr}`,
      timeout: 60_000,
      interval: 10,
    });
  }

  async stop(): Promise<void> {
    await this.#process.logged('starting', 60_000);
    this.#process.kill('SIGTERM');
    assert.deepEqual(await this.#process.exited, { code: 0, signal: null }, this.#process.stderr);
  }

  async crash(): Promise<void> {
    this.#process.kill('SIGKILL');
    await this.#process.exited;
  }
}
