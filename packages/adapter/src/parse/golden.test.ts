import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type Format, parserFor } from './index.ts';

interface Golden {
  readonly source: string;
  readonly format: Format;
  readonly pattern?: string;
  readonly pairs: readonly { readonly line: string; readonly record: unknown }[];
}

const directory = fileURLToPath(new URL('./golden/', import.meta.url));
const timeFields = ['time', 'timestamp', '@timestamp', 'ts', 't', 'asctime'];

for (const path of globSync(`${directory}*.golden.json`).toSorted()) {
  const golden = JSON.parse(readFileSync(path, 'utf8')) as Golden;
  test(`lines of ${basename(path, '.golden.json')} become the records written beside them`, () => {
    const parse = parserFor({ format: golden.format, pattern: golden.pattern, timeFields });
    for (const { line, record } of golden.pairs) assert.deepEqual(parse(line), record);
  });
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
