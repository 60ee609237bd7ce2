import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryDirectory } from '@sidekit/test-kit';
import type { Architecture } from './architecture.ts';
import { checkMachine } from './elf.ts';

test('the Node that runs this is of this architecture, and of no other', () => {
  const here = process.arch as Architecture;
  checkMachine(process.execPath, here);
  const other = here === 'x64' ? 'arm64' : 'x64';
  assert.throws(() => checkMachine(process.execPath, other), /is of machine \d+, not for/);
});

test('what is no program is refused by its path', () => {
  using directory = temporaryDirectory('elf');
  const path = join(directory.path, 'script');
  writeFileSync(path, '#!/bin/sh\necho this is a script\n');
  assert.throws(() => checkMachine(path, 'x64'), /script is not an ELF file/);
});
