import assert from 'node:assert/strict';
import { closeSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryDirectory } from '@sidekit/test-kit';
import { isCopyOf } from './copies.ts';
import type { FileFacts, Generation } from './generation.ts';

test('a copy may have the inode of its deleted original, and nothing is a copy of itself', () => {
  using directory = temporaryDirectory();
  const path = join(directory.path, 'app.log.1');
  writeFileSync(path, 'one\ntwo\n');
  const fd = openSync(path, 'r');
  try {
    const read = { offset: 4, tail: Buffer.from('one\n'), inLine: false };
    const original = { inode: '1:7', birth: 100n, head: read.tail, read, places: [] };
    const copied = (inode: string, birth: bigint) =>
      isCopyOf(
        { fd, path, inode, birth, size: 8, mtime: 0 } satisfies FileFacts,
        original as unknown as Generation,
      );
    assert.equal(copied('1:8', 200n), true);
    assert.equal(copied('1:7', 200n), true, 'the inode is used again');
    assert.equal(copied('1:7', 100n), false, 'the original');
    assert.equal(copied('1:7', 0n), false, 'perhaps the original');
    assert.equal(copied('1:8', 50n), false, 'older than the original');
  } finally {
    closeSync(fd);
  }
});
