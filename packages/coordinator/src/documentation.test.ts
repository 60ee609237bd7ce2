import { jsonSchema, markdownTable, type OptionTable } from '@sidekit/core';
import { testPublishedSchema, testReadmeOptions } from '@sidekit/test-kit';
import { table } from './options.ts';

const options = table as unknown as OptionTable;

testReadmeOptions(new URL('../README.md', import.meta.url), markdownTable(options));
testPublishedSchema(new URL('../schema.json', import.meta.url), jsonSchema(options));
