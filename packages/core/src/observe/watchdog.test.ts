import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '@sidekit/test-kit';
import { Health } from './health.ts';
import { createLog } from './log.ts';
import { Watchdog } from './watchdog.ts';

function watched(timeout: number, now?: () => number) {
  const lines: string[] = [];
  const health = new Health();
  const log = createLog({ name: 'test', write: (line) => lines.push(line) });
  const options = { name: 'delivery', timeout, health, log };
  const watchdog = new Watchdog(now ? { ...options, now } : options);
  return { watchdog, lines, alive: () => health.report('live').status === 'ok' };
}

test('work without progress fails /livez and is logged once; progress makes it alive', () => {
  let now = 0;
  const { watchdog, lines, alive } = watched(1000, () => now);
  watchdog.busy();
  now = 1000;
  watchdog.check();
  assert.ok(alive());
  for (now = 1001; now < 5000; now += 1000) {
    watchdog.busy();
    watchdog.check();
  }
  assert.ok(!alive());
  watchdog.progress();
  assert.ok(alive());
  const events = lines.map((line) => JSON.parse(line).event);
  assert.deepEqual(events, ['no_progress', 'progress']);
  watchdog.close();
});

test('a loop without work, or with progress in time, stays alive for ever', () => {
  let now = 0;
  const { watchdog, lines, alive } = watched(1000, () => now);
  for (; now < 10_000; now += 900) {
    watchdog.busy();
    watchdog.progress();
    watchdog.check();
  }
  watchdog.idle();
  now += 1_000_000;
  watchdog.progress();
  watchdog.check();
  now += 1_000_000;
  watchdog.check();
  assert.ok(alive());
  assert.deepEqual(lines, []);
  watchdog.close();
});

test('it checks by itself', async () => {
  const { watchdog, alive } = watched(20);
  watchdog.busy();
  await eventually(() => !alive(), { what: 'a failing /livez' });
  watchdog.close();
});
