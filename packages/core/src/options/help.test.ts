import assert from 'node:assert/strict';
import { test } from 'node:test';
import { table } from '../testing/table.ts';
import { helpText, markdownTable } from './help.ts';
import { defineOptions } from './table.ts';

test('help shows the use, each option with its default, and the examples', () => {
  const help = helpText(table);
  assert.match(help, /^gadget: shows what options can do\n\nUsage: gadget \[options\]\n/);
  assert.match(help, / {2}--queue <queue name>\n {6}The queue, such as \/q\. Required\.\n/);
  assert.match(help, / {2}--wait <duration>\n {6}How long; 0 \| never\. Default: 1\.5s\n/);
  assert.match(help, / {2}--fast\n {6}Whether to hurry\.\n/);
  assert.match(help, / {2}--include <list of path>\n {6}Which files\. Default: \/a,\/b\n/);
  assert.match(help, / {2}--help, --version\n\nOnly in the file:\n {2}routes\n {6}Routes\.\n/);
  assert.match(help, /environment variable, such as GADGET_QUEUE\./);
  assert.match(help, /Examples:\n {2}gadget --queue \/q\n {6}the least\n$/);
});

test('help is at most 100 columns wide', () => {
  const long = defineOptions({
    ...table,
    operands: { label: 'TARGET', description: 'word '.repeat(60), command: true },
  });
  const help = helpText(long);
  assert.match(help, /Usage: gadget \[options\] TARGET… \[-- command …\]\n/);
  assert.ok(Math.max(...help.split('\n').map((line) => line.length)) <= 100);
});

test('the Markdown table has a row an option, its bars escaped', () => {
  const rows = markdownTable(table).split('\n');
  assert.ok(rows.includes('| `--queue` | The queue, such as `/q`. | *required* | queue name |'));
  assert.ok(rows.includes('| `--wait` | How long; 0 \\| never. | `1.5s` | duration |'));
  assert.ok(rows.includes('| `--mode` | How. | `slow` | slow \\| quick |'));
  assert.ok(rows.includes('| `routes` (file only) | Routes. | `(empty)` | list of object |'));
  assert.equal(rows.length, 2 + Object.keys(table.options).length + 1);
});
