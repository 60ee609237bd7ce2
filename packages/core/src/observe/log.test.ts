import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLog, type LogLevel } from './log.ts';

function logTo(level: LogLevel = 'info') {
  const lines: string[] = [];
  const now = () => Date.UTC(2026, 0, 2, 3, 4, 5, 6);
  return { lines, log: createLog({ name: 'test', level, write: (line) => lines.push(line), now }) };
}

test('a record is one line of JSON with time, level, name and message first', () => {
  const { lines, log } = logTo();
  log.info('two\nlines', { queue: '/q', big: 1n });
  assert.deepEqual(lines, [
    '{"time":"2026-01-02T03:04:05.006Z","level":"info","name":"test","msg":"two\\nlines","queue":"/q","big":"1"}\n',
  ]);
});

test('records below the level are left out', () => {
  const { lines, log } = logTo('warn');
  log.debug('a');
  log.info('b');
  log.warn('c');
  log.error('d');
  assert.deepEqual(
    lines.map((line) => JSON.parse(line).msg),
    ['c', 'd'],
  );
});

test('an error is written with its cause, without its stack', () => {
  const { lines, log } = logTo();
  log.error('failed', { error: new Error('outer', { cause: new Error('inner') }) });
  assert.equal(JSON.parse(lines[0]!).error, 'outer: inner');
});

test('a log with fields carries them in each record', () => {
  const { lines, log } = logTo();
  log.with({ a: 1 }).with({ b: 2 }).info('x', { c: 3 });
  assert.match(lines[0]!, /"msg":"x","a":1,"b":2,"c":3}\n$/);
});

test('fields that cannot be written do not cost the message', () => {
  const { lines, log } = logTo();
  const cycle: Record<string, unknown> = {};
  cycle.self = cycle;
  log.info('kept', { cycle });
  assert.equal(JSON.parse(lines[0]!).msg, 'kept');
  assert.match(JSON.parse(lines[0]!).unwritable, /circular/);
});
