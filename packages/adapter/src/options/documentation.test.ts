import assert from 'node:assert/strict';
import { test } from 'node:test';
import { jsonSchema, markdownTable, type OptionTable, UsageError } from '@sidekit/core';
import { valuesOf } from '@sidekit/core/testing';
import { testPublishedSchema, testReadmeOptions } from '@sidekit/test-kit';
import { adapterTable } from './table.ts';

const table = adapterTable as unknown as OptionTable;

testReadmeOptions(new URL('../../README.md', import.meta.url), markdownTable(table));
testPublishedSchema(new URL('../../schema.json', import.meta.url), jsonSchema(table));

test('what cannot work is refused with all its faults at once', () => {
  const wrong = {
    include: ['/x'],
    format: 'regex',
    pattern: '(\\w+)',
    redactPatterns: ['(?=x)', 'a{2,1}'],
    output: ['nowhere', 'otlp:host:4318'],
  };
  assert.throws(
    () => valuesOf(adapterTable, wrong),
    (error: UsageError) =>
      error instanceof UsageError && error.faults.length === 4 && /linear time/.test(error.message),
  );
  assert.throws(
    () => valuesOf(adapterTable, { ...wrong, redactPatterns: [], output: [] }),
    /no named group/,
  );
});

test('StatsD needs no files, and what cannot work with it is refused', () => {
  assert.deepEqual(valuesOf(adapterTable, { statsd: ':8125' }).include, []);
  const refused = (data: Record<string, unknown>, rule: RegExp) =>
    assert.throws(() => valuesOf(adapterTable, data), rule);
  refused({}, /include is required without another input.*--statsd/);
  refused({ statsd: ':8125', output: ['stdout'] }, /output.*is about records.*--include/);
  refused({ statsd: ':8125', replay: true }, /replay needs --include/);
  refused({ statsd: 'unix:/run/statsd' }, /statsd.*UDP/);
  refused({ statsd: ':8125', statsdBuckets: [2, 1] }, /statsdBuckets.*ascend/);
  refused({ statsd: ':8125', statsdBuckets: [...Array(65).keys()] }, /at most 64/);
});
