import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { jsonSchema, markdownTable, type OptionTable } from '@sidekit/core';
import { consumerOptions } from './consumer-options.ts';
import { producerOptions } from './producer-options.ts';

const README = new URL('../README.md', import.meta.url);
const update = process.env.SIDEKIT_UPDATE === '1';
const tables: Readonly<Record<string, OptionTable>> = {
  producer: producerOptions as unknown as OptionTable,
  consumer: consumerOptions as unknown as OptionTable,
};

/** The formatter pads the cells of a table. */
function cells(table: string): string[] {
  return table
    .trim()
    .split('\n')
    .map((row) => row.replace(/ *\| */g, '|').replace(/-{3,}/g, '---'));
}

for (const [name, table] of Object.entries(tables)) {
  test(`the README's options of the ${name} are those of its table (SIDEKIT_UPDATE=1 writes them)`, () => {
    const section = new RegExp(`(<!-- options ${name} -->\\n)([^]*?)(<!-- /options -->)`);
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

  test(`the schema of the ${name} is that of its table (SIDEKIT_UPDATE=1 writes it)`, () => {
    const path = new URL(`../${name}.schema.json`, import.meta.url);
    const wanted = jsonSchema(table);
    if (update) writeFileSync(path, `${JSON.stringify(wanted, null, 2)}\n`);
    assert.deepEqual(JSON.parse(readFileSync(path, 'utf8')), JSON.parse(JSON.stringify(wanted)));
  });
}
