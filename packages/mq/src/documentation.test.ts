import { jsonSchema, markdownTable, type OptionTable } from '@sidekit/core';
import { testPublishedSchema, testReadmeOptions } from '@sidekit/test-kit';
import { table as consumerTable } from './consumer/options.ts';
import { table as producerTable } from './producer/options.ts';

const README = new URL('../README.md', import.meta.url);
const tables: Readonly<Record<string, OptionTable>> = {
  producer: producerTable as unknown as OptionTable,
  consumer: consumerTable as unknown as OptionTable,
};

for (const [name, table] of Object.entries(tables)) {
  testReadmeOptions(README, markdownTable(table), name);
  testPublishedSchema(new URL(`../${name}.schema.json`, import.meta.url), jsonSchema(table));
}
