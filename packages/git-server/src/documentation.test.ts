import { markdownTable } from '@sidekit/core';
import { testReadmeOptions } from '@sidekit/test-kit';
import { table } from './options.ts';

testReadmeOptions(new URL('../README.md', import.meta.url), markdownTable(table));
