import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';

const update = process.env.SIDEKIT_UPDATE === '1';

/**
 * Tests that the README says what the table of options says, between `<!-- options -->` and
 * `<!-- /options -->`, or `<!-- options NAME -->` where it has several.
 */
export function testReadmeOptions(readme: URL, wanted: string, name?: string): void {
  const heading = name === undefined ? 'options' : `options ${name}`;
  test(`the README's ${heading} are those of the table (SIDEKIT_UPDATE=1 writes them)`, () => {
    const section = new RegExp(`(<!-- ${heading} -->\n)([^]*?)(<!-- /options -->)`);
    const text = readFileSync(readme, 'utf8');
    const written = text.replace(section, (_, begin, _old, end) => `${begin}\n${wanted}\n${end}`);
    if (update) writeFileSync(readme, written);
    else assert.deepEqual(cells(section.exec(text)?.[2] ?? ''), cells(wanted));
  });
}

/** Tests that the published JSON Schema is that of the table of options. */
export function testPublishedSchema(file: URL, wanted: object): void {
  const name = file.pathname.split('/').at(-1);
  test(`${name} is the schema of the table (SIDEKIT_UPDATE=1 writes it)`, () => {
    const text = `${JSON.stringify(wanted, null, 2)}\n`;
    if (update) writeFileSync(file, text);
    else assert.deepEqual(JSON.parse(readFileSync(file, 'utf8')), JSON.parse(text));
  });
}

/** The rows of a table as they mean: the formatter pads its cells and has its own emphasis. */
function cells(text: string): string[] {
  return text
    .trim()
    .split('\n')
    .map((row) =>
      row
        .replace(/ *\| */g, '|')
        .replace(/-{3,}/g, '---')
        .replaceAll('_required_', '*required*'),
    );
}
