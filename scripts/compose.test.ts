import assert from 'node:assert/strict';
import { globSync } from 'node:fs';
import { basename } from 'node:path';
import { test } from 'node:test';
import { staleFiles } from './compose.ts';
import { COMPOSE_FILE, composeFiles } from './support/compose/file.ts';
import { version } from './support/images/build.ts';

test('docker-compose.yml says what the manifests say now', () => {
  assert.deepEqual(staleFiles(composeFiles(version)), [], 'run npm run compose');
});

test('every manifest has a profile', () => {
  const text = composeFiles(version)[COMPOSE_FILE] ?? '';
  for (const path of globSync('manifests/pods/*.yaml')) {
    assert.match(text, new RegExp(`^ {6}- ${basename(path, '.yaml')}$`, 'm'), path);
  }
});

test('a file that differs or is not there is stale', () => {
  const files = { [COMPOSE_FILE]: 'services: {}\n', 'no/such/file': '' };
  assert.deepEqual(staleFiles(files), [COMPOSE_FILE, 'no/such/file']);
});
