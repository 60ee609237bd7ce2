#!/usr/bin/env node
import { main, resolveOptions, UsageError } from '@sidekit/core';
import { ambassador } from './ambassador.ts';
import { table } from './options/table.ts';

/** Reads the options again as at the start, so that flags take precedence over the file. */
async function reread() {
  const argv = process.argv.slice(2);
  const invocation = await resolveOptions(table, { argv, environment: process.env });
  if (invocation.kind !== 'run') throw new UsageError([]);
  return invocation.values;
}

void main(ambassador(reread, process.env));
