import { markdownTable, type OptionTable } from '@sidekit/core';
import { testReadmeOptions } from '@sidekit/test-kit';
import { table } from './options.ts';

const README = new URL('../README.md', import.meta.url);

testReadmeOptions(README, markdownTable(table as unknown as OptionTable));
