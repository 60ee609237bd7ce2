import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryDirectory } from '@sidekit/test-kit';
import { readSmallFile } from './small-file.ts';

test('a file is read up to the limit, and one that is larger is refused', () => {
  using directory = temporaryDirectory();
  const path = join(directory.path, 'f');
  for (const size of [0, 1, 40_000]) {
    writeFileSync(path, 'x'.repeat(size));
    assert.equal(readSmallFile(path, 40_000).toString(), 'x'.repeat(size));
  }
  assert.throws(() => readSmallFile(path, 39_999), /larger than/);
  assert.throws(() => readSmallFile('/dev/zero', 10), /not a regular file/);
  assert.throws(() => readSmallFile(join(directory.path, 'none'), 10), { code: 'ENOENT' });
});

test('FIFOs, sockets and directories are refused, and nobody waits for their other end', async () => {
  using directory = temporaryDirectory();
  const [fifo, socket] = [join(directory.path, 'fifo'), join(directory.path, 'socket')];
  execFileSync('mkfifo', [fifo]);
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  try {
    for (const path of [fifo, socket, directory.path])
      assert.throws(() => readSmallFile(path, 1024), /not a regular file/);
  } finally {
    server.close();
  }
});
