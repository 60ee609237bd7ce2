import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { eventually, startProgram, temporaryDirectory } from '@sidekit/test-kit';
import { isTemporaryOf } from '../io/atomic-file.ts';

test('a full file system leaves the old content and no temporary file', async () => {
  // A file size limit stands for it: writing past it fails in the middle (EFBIG).
  using directory = temporaryDirectory();
  const path = join(directory.path, 'f');
  writeFileSync(path, 'old');
  const program = new URL('../testing/write-atomic.ts', import.meta.url);
  await using limited = startProgram(program, [path, String(4 * 1024 * 1024), 'limited']);
  assert.deepEqual(await limited.exited, { code: 3, signal: null }, limited.stderr);
  assert.match(limited.stdout, /EFBIG/);
  assert.equal(readFileSync(path, 'utf8'), 'old');
  assert.deepEqual(readdirSync(directory.path), ['f']);
});

test('a reader finds the old or the new content whole when the writer is killed', async () => {
  using directory = temporaryDirectory();
  const path = join(directory.path, 'f');
  const size = 1024 * 1024;
  writeFileSync(path, 'a'.repeat(size));
  const program = new URL('../testing/write-atomic.ts', import.meta.url);
  for (let kill = 0; kill < 5; kill++) {
    await using writer = startProgram(program, [path, String(size)]);
    await eventually(() => writer.stdout.length > kill * 2, { what: 'some writes' });
    writer.kill('SIGKILL');
    await writer.exited;
    const content = readFileSync(path, 'utf8');
    assert.equal(content.length, size);
    assert.equal(content, content[0]!.repeat(size), 'one writing only');
  }
  const left = readdirSync(directory.path).filter((name) => name !== 'f');
  assert.ok(
    left.every((name) => isTemporaryOf(name, path)),
    `what a kill leaves can be swept by their names: ${left}`,
  );
});
