import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, test } from 'node:test';
import { programFile } from './process.ts';
import { temporaryDirectory } from './temporary.ts';

const { SIDEKIT_PROGRAMS: before } = process.env;
afterEach(() => {
  if (before === undefined) delete process.env.SIDEKIT_PROGRAMS;
  else process.env.SIDEKIT_PROGRAMS = before;
});

test('a sidecar is started from its bundle if there is one, and otherwise from source', () => {
  using bundles = temporaryDirectory('programs');
  const bundle = join(bundles.path, 'mq', 'main.cjs');
  mkdirSync(join(bundles.path, 'mq'));
  writeFileSync(bundle, '');
  process.env.SIDEKIT_PROGRAMS = bundles.path;
  assert.equal(programFile('/clone/packages/mq/src/main.ts'), bundle);
  assert.equal(programFile(new URL('file:///clone/packages/mq/src/main.ts')), bundle);
  for (const other of ['/clone/packages/adapter/src/main.ts', '/clone/packages/mq/src/x/main.ts'])
    assert.equal(programFile(other), other);
  process.env.SIDEKIT_PROGRAMS = '/no/such';
  assert.throws(() => programFile('/clone/packages/mq/src/main.ts'), /\/no\/such does not exist/);
  delete process.env.SIDEKIT_PROGRAMS;
  assert.equal(programFile('/clone/packages/mq/src/main.ts'), '/clone/packages/mq/src/main.ts');
});
