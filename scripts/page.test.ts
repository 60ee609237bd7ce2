import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryDirectory } from '@sidekit/test-kit';
import { buildPage } from './page.ts';

test('the files of the page are those that its sources make: npm run page', async () => {
  using directory = temporaryDirectory('page');
  await buildPage(directory.path);
  for (const name of ['index.html', 'page.js', 'page.css']) {
    const made = readFileSync(join(directory.path, name), 'utf8');
    assert.equal(readFileSync(join('packages/pod/assets', name), 'utf8'), made, name);
  }
});
