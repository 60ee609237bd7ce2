import assert from 'node:assert/strict';
import { copyFileSync, existsSync, globSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { TestProcess, temporaryDirectory } from '@sidekit/test-kit';

const { scripts } = JSON.parse(readFileSync('package.json', 'utf8'));

test('npm scripts replace their shell, so that a signal to npm reaches what cleans up', () => {
  for (const [name, script] of Object.entries<string>(scripts)) {
    // A program that has nothing to clean up may be left to the shell.
    if (name === 'format') continue;
    assert.match(script, /^exec node scripts\/bootstrap\.mjs [\w-]+$/, name);
  }
});

test('every task says what it does, by the name that one types, before anything is installed', async () => {
  using directory = temporaryDirectory();
  const clone = directory.path;
  mkdirSync(join(clone, 'scripts'));
  for (const file of globSync('scripts/*.{ts,mjs}')) copyFileSync(file, join(clone, file));
  copyFileSync('package-lock.json', join(clone, 'package-lock.json'));
  for (const [script, line] of Object.entries<string>(scripts)) {
    const task = /bootstrap\.mjs ([\w-]+)$/.exec(line)?.[1];
    if (task === undefined) continue;
    const args = [join(clone, 'scripts/bootstrap.mjs'), task, '--help'];
    await using help = new TestProcess(process.execPath, args);
    assert.deepEqual(await help.exited, { code: 0, signal: null });
    assert.match(help.stdout, new RegExp(`^\`npm (run )?${script}\\b`), task);
    assert.doesNotMatch(help.stdout, /\*/, task);
    assert.equal(help.stderr, '');
  }
  assert.ok(!existsSync(join(clone, 'node_modules')));
});

for (const [words, code, text] of [
  [
    ['media', '--dark'],
    64,
    /^\nmedia: it takes no arguments, but got --dark. See npm run media -- --help\n$/,
  ],
  [
    ['demo', '--onyl', 'grpc'],
    64,
    /^\ndemo: Unknown option '--onyl'.* See npm run demo -- --help/s,
  ],
  [['demo', '--engine', 'lxc'], 64, /--engine lxc is not an engine: write docker or podman/],
  [['test-pods', 'grpc', 'gprc'], 64, /no Pod gprc: .* grpc, .* See npm run test:pods -- --help/],
  [['version', '--chek', '0.2.0'], 64, /Unknown option '--chek'/],
  [['imagse'], 64, /^no task imagse: there are bench, check,/],
] as const) {
  test(`${words.join(' ')} ends with exit code ${code} before it starts anything`, async () => {
    const args = ['scripts/run-task.ts', ...words];
    await using task = new TestProcess(process.execPath, args);
    assert.deepEqual(await task.exited, { code, signal: null });
    assert.match(task.stdout + task.stderr, text);
  });
}
