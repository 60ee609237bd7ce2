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
