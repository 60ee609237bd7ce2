import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileFaults, specifiers } from './import-rule.ts';

const declared = new Set(['@sidekit/core', '@sidekit/mq', '@sidekit/test-kit', 'koffi', 'yaml']);
const faults = (path: string, source: string) => fileFaults(path, source, declared);

test('a sidecar may import core, Node and its dependencies', () => {
  const source =
    "import { a } from '@sidekit/core';\nimport { b } from 'node:fs';\nimport c from 'yaml';\n";
  assert.deepEqual(faults('packages/adapter/src/x.ts', source), []);
});

test('a sidecar that imports another sidecar is a fault', () => {
  const [fault] = faults('packages/adapter/src/x.ts', "import { a } from '@sidekit/mq';");
  assert.match(fault ?? '', /adapter must not import @sidekit\/mq/);
});

test('a path into another package is a fault, static or dynamic', () => {
  assert.equal(
    faults('packages/adapter/src/x.ts', "import { a } from '../../core/src/log.ts';").length,
    1,
  );
  assert.equal(
    faults('packages/adapter/src/x.ts', "await import('../../core/src/log.ts');").length,
    1,
  );
});

test('test/ may import neither package sources nor packages', () => {
  assert.equal(
    faults('test/x.test.ts', "import { a } from '../packages/core/src/log.ts';").length,
    1,
  );
  assert.equal(faults('test/x.test.ts', "import { a } from '@sidekit/core';").length, 1);
  assert.equal(
    faults('test/x.test.ts', "import { eventually } from '@sidekit/test-kit';").length,
    0,
  );
});

test('what is imported must be declared', () => {
  const [fault] = faults('packages/adapter/src/x.ts', "import x from 'left-pad';");
  assert.match(fault ?? '', /left-pad is not a dependency/);
});

test('process.env, process.exit and signal handlers belong in main.ts and core', () => {
  assert.equal(faults('packages/adapter/src/x.ts', 'const a = process.env.A;').length, 1);
  assert.equal(faults('packages/adapter/src/x.ts', "process.once('SIGTERM', f);").length, 1);
  assert.equal(faults('packages/adapter/src/main.ts', 'process.exit(1);').length, 0);
  assert.equal(faults('packages/core/src/x.ts', 'process.exit(1);').length, 0);
  assert.equal(faults('packages/adapter/src/x.ts', '// process.env is not for here').length, 0);
});

test('imports over several lines and re-exports are seen', () => {
  const source = "import {\n  a,\n  b,\n} from 'one';\nexport { c } from 'two';\nimport 'three';\n";
  assert.deepEqual(specifiers(source), ['one', 'two', 'three']);
});
