import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { jsonSchema, markdownTable, type OptionTable } from '@sidekit/core';
import { table } from './options.ts';

const README = new URL('../README.md', import.meta.url);
const SCHEMA = new URL('../schema.json', import.meta.url);
const update = process.env.UPDATE_DOCUMENTATION === '1';

test('the README lists the options as they are', () => {
  const text = readFileSync(README, 'utf8');
  const wanted = text.replace(
    /<!-- options -->[\s\S]*<!-- \/options -->/,
    () =>
      `<!-- options -->\n\n${markdownTable(table as unknown as OptionTable).trim()}\n\n<!-- /options -->`,
  );
  if (update) writeFileSync(README, wanted);
  else assert.equal(cells(text), cells(wanted), 'run with UPDATE_DOCUMENTATION=1');
});

test('the published schema is that of the options', () => {
  const wanted = `${JSON.stringify(jsonSchema(table as unknown as OptionTable), null, 2)}\n`;
  if (update) writeFileSync(SCHEMA, wanted);
  else
    assert.deepEqual(
      JSON.parse(readFileSync(SCHEMA, 'utf8')),
      JSON.parse(wanted),
      'run with UPDATE_DOCUMENTATION=1',
    );
});

/** The formatter pads the cells of a table. */
function cells(text: string): string {
  return text.replace(/ *\| */g, '|').replace(/-{3,}/g, '---');
}
