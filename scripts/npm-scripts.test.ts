import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { TestProcess } from '@sidekit/test-kit';
import { taskHelp } from './support/task-help.ts';

const { scripts } = JSON.parse(readFileSync('package.json', 'utf8'));

test('npm scripts replace their shell, so that a signal to npm reaches what cleans up', () => {
  for (const [name, script] of Object.entries<string>(scripts)) {
    // A program that has nothing to clean up may be left to the shell.
    if (name === 'format') continue;
    assert.match(script, /^exec node scripts\/bootstrap\.mjs [\w-]+$/, name);
  }
});

test('every task says what it does, by the name that one types', () => {
  for (const [script, line] of Object.entries<string>(scripts)) {
    const task = /bootstrap\.mjs ([\w-]+)$/.exec(line)?.[1];
    if (task === undefined) continue;
    const help = taskHelp(`scripts/${task}.ts`);
    assert.match(help, new RegExp(`^\`npm (run )?${script}\\b`), task);
    assert.doesNotMatch(help, /\*/, task);
  }
});

for (const [words, code, text] of [
  [['images', '--help'], 0, /^`npm run images`: builds all images/],
  [['test-pods', 'ambassador', '-h'], 0, /^`npm run test:pods`/],
  [['media', '--dark'], 64, /^media takes no arguments, but got --dark: see --help\n$/],
  [['imagse'], 64, /^no task imagse: there are bench, check,/],
] as const) {
  test(`${words.join(' ')} ends with exit code ${code} before it starts anything`, async () => {
    const args = ['scripts/run-task.ts', ...words];
    await using task = new TestProcess(process.execPath, args);
    assert.deepEqual(await task.exited, { code, signal: null });
    assert.match(task.stdout + task.stderr, text);
  });
}
