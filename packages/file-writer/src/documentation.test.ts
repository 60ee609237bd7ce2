import { jsonSchema, markdownTable } from '@sidekit/core';
import { testPublishedSchema, testReadmeOptions } from '@sidekit/test-kit';
import { table } from './options/table.ts';

testReadmeOptions(new URL('../README.md', import.meta.url), markdownTable(table));
testPublishedSchema(new URL('../schema.json', import.meta.url), jsonSchema(table));
