import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { markdownTable, type OptionTable } from '@sidekit/core';
import { table } from './options.ts';

const README = new URL('../README.md', import.meta.url);
const SECTION = /(<!-- options -->\n)([\s\S]*?)(<!-- \/options -->)/;

/** The formatter pads the cells of a table. */
function cells(text: string): string[] {
  return text
    .trim()
    .split('\n')
    .map((row) => row.replace(/ *\| */g, '|').replace(/-{3,}/g, '---'));
}

test("the README's options are those of the table (SIDEKIT_UPDATE=1 writes them)", () => {
  const text = readFileSync(README, 'utf8');
  const wanted = markdownTable(table as unknown as OptionTable);
  if (process.env.SIDEKIT_UPDATE === '1') {
    writeFileSync(
      README,
      text.replace(SECTION, (_, start, _old, end) => `${start}\n${wanted}\n${end}`),
    );
  }
  assert.deepEqual(cells(SECTION.exec(readFileSync(README, 'utf8'))?.[2] ?? ''), cells(wanted));
});
