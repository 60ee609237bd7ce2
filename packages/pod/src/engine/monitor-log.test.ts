import assert from 'node:assert/strict';
import { appendFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryDirectory } from '@sidekit/test-kit';
import { MonitorLog } from './monitor-log.ts';

const TIME = '2026-11-27T20:10:41.123456789+00:00';

const entry = (text: string, stream = 'stdout', tag = 'F') => `${TIME} ${stream} ${tag} ${text}\n`;

function all(log: MonitorLog): string[] {
  const texts: string[] = [];
  for (let parts = log.read(); parts.length > 0; parts = log.read()) {
    texts.push(...parts.map(({ text }) => text.toString()));
  }
  return texts;
}

test('an entry is its stream, its time, its text, and whether the line ends', () => {
  using folder = temporaryDirectory('monitor-log');
  const path = join(folder.path, 'ctr.log');
  const odd = Buffer.concat([
    Buffer.from(`${TIME} stderr P `),
    Buffer.from([0x20, 0xff, 0x0d, 0x00, 0x20]),
    Buffer.from(`\n${entry('')}`),
  ]);
  writeFileSync(path, odd);
  using log = new MonitorLog(path);
  assert.deepEqual(log.read(), [
    {
      stdout: false,
      time: TIME,
      text: Buffer.from([0x20, 0xff, 0x0d, 0x00, 0x20]),
      last: false,
    },
    { stdout: true, time: TIME, text: Buffer.alloc(0), last: true },
  ]);
  assert.deepEqual(log.read(), []);
});

test('a log that grows is read once, also an entry that is written in two pieces', () => {
  using folder = temporaryDirectory('monitor-log');
  const path = join(folder.path, 'ctr.log');
  using log = new MonitorLog(path);
  assert.deepEqual(all(log), [], 'the container has not begun');
  const lines = Array.from({ length: 20_000 }, (_, i) => `line ${i}`);
  writeFileSync(path, lines.map((line) => entry(line)).join(''));
  assert.deepEqual(all(log), lines);
  appendFileSync(path, `${TIME} stdout F ha`);
  assert.deepEqual(all(log), []);
  appendFileSync(path, `lf\n${entry('next')}`);
  assert.deepEqual(all(log), ['half', 'next']);
});

test('a log that was replaced because it was full is read to its end before the new one', () => {
  using folder = temporaryDirectory('monitor-log');
  const path = join(folder.path, 'ctr.log');
  writeFileSync(path, entry('one'));
  using log = new MonitorLog(path);
  assert.deepEqual(all(log), ['one']);
  appendFileSync(path, entry('two'));
  writeFileSync(`${path}.tmp`, entry('three'));
  renameSync(`${path}.tmp`, path);
  assert.deepEqual(all(log), ['two', 'three']);
});

test('a log that is replaced again and again while it is read is complete', () => {
  using folder = temporaryDirectory('monitor-log');
  const path = join(folder.path, 'ctr.log');
  const replace = (text: string) => {
    writeFileSync(`${path}.tmp`, entry(text));
    renameSync(`${path}.tmp`, path);
  };
  replace('1');
  using log = new MonitorLog(path);
  log.notice();
  for (const text of ['2', '3', '4', '5']) {
    replace(text);
    log.notice();
    log.notice();
  }
  assert.deepEqual(all(log), ['1', '2', '3', '4', '5']);
  for (let i = 10; i < 30; i++) {
    replace(String(i));
    log.notice();
  }
  const kept = ['10', '11', '12', '13', '14', '15', '16', '29'];
  assert.deepEqual(all(log), kept, 'eight files are held, and the newest one is read in any case');
});
