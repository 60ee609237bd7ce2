import assert from 'node:assert/strict';
import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { propertyParameters, temporaryDirectory } from '@sidekit/test-kit';
import fc from 'fast-check';
import { publishFiles } from './publish.ts';

const file = (path: string, text: string, mode = 0o644) => ({
  path,
  content: Buffer.from(text),
  mode,
});

test('files are links through ..data, and a new version is one rename of it', () => {
  using directory = temporaryDirectory('publish');
  const { path } = directory;
  publishFiles(path, [file('a', '1'), file('sub/b', '2', 0o600)]);
  const before = readlinkSync(join(path, '..data'));
  assert.equal(readlinkSync(join(path, 'a')), '..data/a');
  assert.equal(readFileSync(join(path, 'sub/b'), 'utf8'), '2');
  assert.equal(statSync(join(path, 'sub/b')).mode & 0o777, 0o600);
  assert.equal(publishFiles(path, [file('a', '3')]), true);
  assert.notEqual(readlinkSync(join(path, '..data')), before);
  assert.equal(readFileSync(join(path, 'a'), 'utf8'), '3');
  // A removed file leaves neither a link nor an old version.
  assert.deepEqual(readdirSync(path).toSorted(), [
    '..data',
    readlinkSync(join(path, '..data')),
    'a',
  ]);
});

test('what has not changed is not written again', () => {
  using directory = temporaryDirectory('publish');
  assert.equal(publishFiles(directory.path, [file('a', '1')]), true);
  const version = readlinkSync(join(directory.path, '..data'));
  assert.equal(publishFiles(directory.path, [file('a', '1')]), false);
  assert.equal(readlinkSync(join(directory.path, '..data')), version);
});

test('no path of a file leads out of the volume, or to the names of the writer itself', () => {
  const part = fc.constantFrom('..', '.', '', 'a', '..data', '..v-1', 'b\0', '../x', '/etc');
  const path = fc.array(part, { minLength: 1, maxLength: 5 }).map((parts) => parts.join('/'));
  fc.assert(
    fc.property(path, (name) => {
      using directory = temporaryDirectory('publish');
      const volume = join(directory.path, 'volume');
      try {
        publishFiles(volume, [file(name, 'x')]);
      } catch (error) {
        assert.match(String(error), /is not a path inside a volume/);
        assert.deepEqual(readdirSync(directory.path), []);
        return;
      }
      assert.deepEqual(readdirSync(directory.path), ['volume']);
      assert.equal(readFileSync(join(volume, name), 'utf8'), 'x');
    }),
    propertyParameters(150),
  );
});
