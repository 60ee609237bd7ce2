import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { startProgram } from '@sidekit/test-kit';
import { runTests } from './tests.ts';

const TASK = fileURLToPath(new URL('../run-task.ts', import.meta.url));

test('a build for a target that does not exist is refused before it begins', async () => {
  await using program = startProgram(TASK, ['images', '--load', 'nope']);
  assert.equal((await program.exited).code, 64);
  assert.match(program.stderr, /--load nope is neither kind, minikube/);
  assert.equal(program.stdout, '');
});

test('a name that no test has runs no tests', async () => {
  assert.equal(await runTests([], { concurrency: 1 }), 64);
});
