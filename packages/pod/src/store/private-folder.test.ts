import assert from 'node:assert/strict';
import { chmodSync, chownSync, mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryDirectory } from '@sidekit/test-kit';
import { privateFolder } from './private-folder.ts';

const root = process.getuid?.() === 0 ? test : test.skip;
const refusal = /pod keeps Secrets below a folder that only you can enter/;

test('a new folder, and every missing parent, can be entered by its owner alone', () => {
  using directory = temporaryDirectory('private');
  const path = join(directory.path, 'a/b');
  privateFolder(path);
  assert.equal(statSync(path).mode & 0o777, 0o700);
  assert.equal(statSync(join(directory.path, 'a')).mode & 0o777, 0o700);
  privateFolder(path);
});

test('an own folder that others can enter is closed, one that others can write is refused', () => {
  using directory = temporaryDirectory('private');
  const path = join(directory.path, 'a');
  mkdirSync(path, { mode: 0o755 });
  privateFolder(path);
  assert.equal(statSync(path).mode & 0o777, 0o700);
  chmodSync(path, 0o770);
  assert.throws(() => privateFolder(path), refusal);
});

test('a link, a file, and a folder below one that others can write are refused', () => {
  using directory = temporaryDirectory('private');
  const path = (name: string) => join(directory.path, name);
  mkdirSync(path('real'), { mode: 0o700 });
  symlinkSync(path('real'), path('link'));
  assert.throws(() => privateFolder(path('link')), refusal);
  writeFileSync(path('file'), '');
  assert.throws(() => privateFolder(path('file')), refusal);
  mkdirSync(path('open'));
  chmodSync(path('open'), 0o777);
  assert.throws(() => privateFolder(path('open/mine')), refusal);
  assert.throws(() => privateFolder('/proc/sidekit/a'), /cannot be created \(ENOENT.*pod keeps/);
  assert.throws(() => privateFolder(path('file/a')), /cannot be reached \(ENOTDIR.*pod keeps/);
  // As /tmp is.
  chmodSync(path('open'), 0o1777);
  privateFolder(path('open/mine'));
});

root('a folder that somebody else prepared is refused', () => {
  using directory = temporaryDirectory('private');
  const path = join(directory.path, 'a');
  mkdirSync(path, { mode: 0o700 });
  chownSync(path, 1234, 1234);
  assert.throws(() => privateFolder(path), /belongs to UID 1234/);
  assert.throws(() => privateFolder(join(path, 'b')), /belongs to UID 1234/);
});
