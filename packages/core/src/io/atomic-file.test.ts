import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { temporaryDirectory } from '@sidekit/test-kit';
import { isTemporaryOf, replaceFile, temporaryPath, writeFileAtomic } from './atomic-file.ts';

test('writeFileAtomic replaces content and leaves no other file', async () => {
  using directory = temporaryDirectory();
  const path = join(directory.path, 'a');
  await writeFileAtomic(path, 'old');
  const before = statSync(path).ino;
  await writeFileAtomic(path, 'new', { fsync: false });
  assert.equal(readFileSync(path, 'utf8'), 'new');
  assert.notEqual(statSync(path).ino, before);
  assert.deepEqual(readdirSync(directory.path), ['a']);
});

test('the mode is the one asked for, whatever the umask', async () => {
  using directory = temporaryDirectory();
  const before = process.umask(0o077);
  try {
    await writeFileAtomic(join(directory.path, 'open'), 'x', { mode: 0o664 });
    await writeFileAtomic(join(directory.path, 'closed'), 'x', { mode: 0o400 });
  } finally {
    process.umask(before);
  }
  assert.equal(statSync(join(directory.path, 'open')).mode & 0o7777, 0o664);
  assert.equal(statSync(join(directory.path, 'closed')).mode & 0o7777, 0o400);
});

test('replaceFile drops what is not accepted, and keeps the old content after an error', async () => {
  using directory = temporaryDirectory();
  const path = join(directory.path, 'a');
  writeFileSync(path, 'old');
  assert.equal(await replaceFile(path, [Buffer.from('new')], { accept: () => false }), false);
  await assert.rejects(
    replaceFile(
      path,
      (async function* () {
        yield Buffer.from('half');
        throw new Error('cut');
      })(),
    ),
    /cut/,
  );
  assert.equal(readFileSync(path, 'utf8'), 'old');
  assert.deepEqual(readdirSync(directory.path), ['a']);
});

test('a directory in the way is an error that leaves it alone', async () => {
  using directory = temporaryDirectory();
  mkdirSync(join(directory.path, 'a'));
  await assert.rejects(writeFileAtomic(join(directory.path, 'a'), 'x'), { code: 'EISDIR' });
  assert.deepEqual(readdirSync(directory.path), ['a']);
});

test('a temporary name is known as that of its own file alone, however long', () => {
  for (const name of ['b', 'a-b', 'ä'.repeat(127), 'x'.repeat(255)]) {
    const temporary = basename(temporaryPath(`/d/${name}`));
    assert.ok(Buffer.byteLength(temporary) <= 255);
    assert.ok(isTemporaryOf(temporary, `/d/${name}`));
    assert.ok(!isTemporaryOf(temporary, `/d/other`));
  }
  assert.ok(!isTemporaryOf(basename(temporaryPath('/d/a-b')), '/d/b'));
  assert.ok(!isTemporaryOf('b', '/d/b'));
});
