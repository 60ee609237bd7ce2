import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryDirectory } from '@sidekit/test-kit';
import { hostArchitecture } from './architecture.ts';
import { bundle } from './bundle.ts';
import { IMAGES } from './catalog.ts';

test('a bundle is ASCII, and leaves packages that few need to files of their own', async () => {
  const image = IMAGES.find(({ name }) => name === 'file-writer');
  assert.ok(image);
  using directory = temporaryDirectory('bundle');
  await bundle(image, directory.path, hostArchitecture());
  const text = (name: string) => readFileSync(join(directory.path, name), 'utf8');
  for (const name of ['bundle.cjs', 'liquidjs.cjs', 'yaml.cjs'])
    assert.match(text(name), /^[\0-\x7f]+$/, name);
  assert.match(text('liquidjs.cjs'), /\[\\u00e0/, 'a regular expression is escaped');
  assert.doesNotMatch(text('bundle.cjs'), /class Liquid\b|class YAMLMap\b/);
  assert.equal(existsSync(join(directory.path, 're2js.cjs')), false, 'it is not used');
  const licences = text('licences.txt').match(/^[a-z@/]+ [\d.]+ \(.*\)$/gm);
  assert.deepEqual(
    licences?.map((line) => line.split(' ')[0]),
    ['liquidjs', 'yaml', '@noble/hashes'],
  );
});
