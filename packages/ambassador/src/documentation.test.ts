import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { jsonSchema, markdownTable } from '@sidekit/core';
import { table } from './options.ts';

const README = new URL('../README.md', import.meta.url);
const SCHEMA = new URL('../schema.json', import.meta.url);
const update = process.env.SIDEKIT_UPDATE === '1';

/** The formatter pads the cells of a table. */
function cells(text: string): string[] {
  return text
    .trim()
    .split('\n')
    .map((row) => row.replace(/ *\| */g, '|').replace(/-{3,}/g, '---'));
}

test("the README's options are those of the table (SIDEKIT_UPDATE=1 writes them)", () => {
  const section = /(<!-- options -->\n)([\s\S]*?)(<!-- \/options -->)/;
  const text = readFileSync(README, 'utf8');
  const wanted = markdownTable(table);
  if (update) {
    writeFileSync(
      README,
      text.replace(section, (_, a, _old, b) => `${a}\n${wanted}\n${b}`),
    );
    return;
  }
  assert.deepEqual(cells(section.exec(text)?.[2] ?? ''), cells(wanted));
});

test('the schema is that of the table (SIDEKIT_UPDATE=1 writes it)', () => {
  const wanted = jsonSchema(table);
  if (update) writeFileSync(SCHEMA, `${JSON.stringify(wanted, null, 2)}\n`);
  assert.deepEqual(JSON.parse(readFileSync(SCHEMA, 'utf8')), JSON.parse(JSON.stringify(wanted)));
});
