import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

const { scripts } = JSON.parse(readFileSync('package.json', 'utf8'));

test('npm scripts replace their shell, so that a signal to npm reaches what cleans up', () => {
  for (const [name, script] of Object.entries<string>(scripts)) {
    // A program that has nothing to clean up may be left to the shell.
    if (name === 'format') continue;
    assert.match(script, /^exec node scripts\/bootstrap\.mjs [\w-]+$/, name);
  }
});
