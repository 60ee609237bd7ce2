import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { type ProcessOptions, startProgram } from './process.ts';

/** Times after the first log record at which the signal is sent, in milliseconds. */
const DELAYS = [0, 10, 50, 200];

export interface EarlyStopOptions extends ProcessOptions {
  /** The longest time from the signal to the exit, in milliseconds; 15 s by default, for a loaded machine. */
  readonly within?: number;
}

/**
 * Tests that a sidecar which gets SIGTERM while it starts exits 0 without waiting for its grace
 * period: right after its first log record (`event: starting`), and a little later.
 */
export function testEarlyStop(
  main: string | URL,
  args: readonly string[],
  { within = 15_000, ...options }: EarlyStopOptions = {},
): void {
  test('SIGTERM during start-up is an orderly stop with exit code 0', async () => {
    for (const delay of DELAYS) {
      await using sidecar = startProgram(main, args, options);
      await sidecar.event('starting');
      if (delay > 0) await pause(delay);
      const sent = performance.now();
      sidecar.kill('SIGTERM');
      const exit = await sidecar.exited;
      const shown = `${delay} ms after the first record: ${sidecar.stderr}`;
      assert.deepEqual(exit, { code: 0, signal: null }, shown);
      assert.ok(performance.now() - sent < within, `not within ${within} ms, ${shown}`);
    }
  });
}
