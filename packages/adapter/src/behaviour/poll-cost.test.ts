import assert from 'node:assert/strict';
import { appendFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { CountedCalls } from '../testing/counted-calls.ts';
import { scene } from '../testing/scene.ts';

const LOGS = 10;
const COPIES = 40;

/** Writes logs with rotated siblings of one size each. */
function fill(logs: string): void {
  for (let i = 0; i < LOGS; i++) {
    writeFileSync(join(logs, `app${i}.log`), `live ${i}\n`);
    for (let k = 1; k <= COPIES; k++) {
      writeFileSync(join(logs, `app${i}.log.${k}`), `log ${i} copy ${String(k).padStart(3)}\n`);
    }
  }
}

const include = (directory: string) =>
  Array.from({ length: LOGS }, (_, i) => join(directory, `logs/app${i}.log`));

test('a first scan costs a few calls for each file, and later polls none for those that wait for an output', async () => {
  await using s = await scene((directory) => ({ include: include(directory) }));
  s.clock.now = Date.now();
  s.receiver.down = true;
  fill(s.logs);
  using calls = new CountedCalls();
  await s.adapter.poll();
  const first = calls.take();
  assert.ok(first < 12 * LOGS * COPIES, `${first} calls`);
  // By then the directory is settled, and the writers have left their rotated files.
  s.clock.now += 60_000;
  await s.adapter.poll();
  await s.adapter.poll();
  s.clock.now += 1000;
  calls.take();
  await s.adapter.poll();
  const later = calls.take();
  assert.ok(later < 5 * LOGS, `${later} calls`);
  s.receiver.down = false;
  await s.settle();
  assert.equal(s.receiver.records.length, LOGS * (COPIES + 1));
});

test('a file that is not decided about costs itself only', async () => {
  await using s = await scene((directory) => ({ include: include(directory), startAt: 'end' }));
  s.clock.now = Date.now();
  fill(s.logs);
  // It may be a copy, until it was not written for a while.
  const other = join(s.logs, 'app0-7.log');
  writeFileSync(other, 'of another program\n');
  await s.adapter.poll();
  s.clock.now += 60_000;
  utimesSync(other, s.clock.now / 1000, s.clock.now / 1000);
  await s.adapter.poll();
  await s.adapter.poll();
  using calls = new CountedCalls();
  for (let i = 0; i < 3; i++) {
    appendFileSync(other, 'of another program\n');
    s.clock.now += 1000;
    utimesSync(other, s.clock.now / 1000, s.clock.now / 1000);
    await s.adapter.poll();
  }
  const count = calls.take();
  assert.ok(count < LOGS * COPIES, `${count} calls`);
});
