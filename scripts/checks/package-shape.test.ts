import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryDirectory } from '@sidekit/test-kit';
import { rootFaults, sleepFaults, timersIn } from './package-shape.ts';

test('a root of eight files is accepted, tests not counted, and one of nine is not', () => {
  using directory = temporaryDirectory('shape');
  const src = join(directory.path, 'packages/x/src');
  mkdirSync(src, { recursive: true });
  for (let i = 0; i < 8; i++) {
    writeFileSync(join(src, `${i}.ts`), '');
    writeFileSync(join(src, `${i}.test.ts`), '');
  }
  assert.deepEqual(rootFaults(directory.path), []);
  writeFileSync(join(src, 'more.ts'), '');
  assert.match(rootFaults(directory.path)[0] ?? '', /packages\/x\/src has 9 files/);
});

test('a timer in a test is a fault, and one in a helper is not', () => {
  using directory = temporaryDirectory('shape');
  const testing = join(directory.path, 'packages/x/src/testing');
  mkdirSync(testing, { recursive: true });
  const sleep = 'await new Promise((resolve) => setTimeout(resolve, 10));';
  writeFileSync(join(testing, 'wait.ts'), sleep);
  assert.deepEqual(sleepFaults(directory.path), []);
  writeFileSync(join(testing, '../x.test.ts'), `\n${sleep}`);
  assert.match(sleepFaults(directory.path)[0] ?? '', /x\.test\.ts:2: a timer in a test/);
});

test('a program in a template literal may have timers', () => {
  assert.deepEqual(timersIn('const program = `\nsetTimeout(f, 5);\n`;'), []);
  assert.deepEqual(timersIn("import { setTimeout } from 'node:timers/promises';"), [1]);
});
