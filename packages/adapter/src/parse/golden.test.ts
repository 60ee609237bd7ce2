import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Joiner } from '../pipeline/joiner.ts';
import { Generation } from '../tail/generation.ts';
import { LineFlag } from '../tail/line-splitter.ts';
import { type Format, parserFor } from './parser-for.ts';
import { compilePattern } from './regex.ts';

interface Golden {
  readonly source: string;
  readonly format: Format;
  readonly pattern?: string;
  /** The lines of a pair are joined into one event by this pattern. */
  readonly multilineStart?: string;
  /** When the lines were read, for times without a year. */
  readonly now?: string;
  readonly pairs: readonly { readonly line: string; readonly record: unknown }[];
}

const directory = fileURLToPath(new URL('./golden', import.meta.url));
const timeFields = ['time', 'timestamp', '@timestamp', 'ts', 't', 'asctime'];

for (const path of globSync(`${directory}/*.golden.json`).toSorted()) {
  const golden = JSON.parse(readFileSync(path, 'utf8')) as Golden;
  test(`lines of ${basename(path, '.golden.json')} become the records written beside them`, (t) => {
    if (golden.now) t.mock.timers.enable({ apis: ['Date'], now: new Date(golden.now) });
    const parse = parserFor({ format: golden.format, pattern: golden.pattern, timeFields });
    const events = eventsOf(golden);
    assert.equal(events.length, golden.pairs.length);
    for (const [i, event] of events.entries()) {
      assert.deepEqual(parse(event), golden.pairs[i]?.record);
    }
  });
}

/** The texts of a golden's records, joined of the lines that the program wrote. */
function eventsOf({ pairs, multilineStart }: Golden): string[] {
  const texts = pairs.map(({ line }) => line);
  if (multilineStart === undefined) return texts;
  const joiner = new Joiner({
    start: compilePattern(multilineStart),
    envelope: undefined,
    maxLines: 500,
    maxSize: 1 << 20,
  });
  const facts = { path: '', inode: '', birth: 0n, mtime: 0 };
  const generation = new Generation('x', 'x', facts, 0, ['x']);
  const events: string[] = [];
  const emit = (text: string) => void events.push(text);
  for (const line of texts.join('\n').split('\n')) {
    joiner.add(generation, line, 0, LineFlag.none, emit);
  }
  joiner.flush(generation, emit);
  return events;
}

test('a line of another format is refused with the reason, by every parser', () => {
  for (const format of [
    'json',
    'logfmt',
    'common',
    'combined',
    'nginx-error',
    'cri',
    'syslog',
  ] as const) {
    const parse = parserFor({ format, pattern: undefined, timeFields });
    for (const line of ['', 'nothing of the kind', '\0\x01\ufffd', '[]', '"']) {
      assert.equal(typeof parse(line), 'string', `${format}: ${line}`);
    }
  }
});

test('numbers that a double cannot hold keep their digits', () => {
  const parse = parserFor({ format: 'json', pattern: undefined, timeFields });
  const line = '{"id":12345678901234567890,"f":0.12345678901234567890,"n":1}';
  assert.equal(JSON.stringify(parse(line)), line);
});
