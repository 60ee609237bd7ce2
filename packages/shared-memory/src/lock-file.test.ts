import assert from 'node:assert/strict';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { eventually, TestProcess, temporaryDirectory } from '@sidekit/test-kit';
import { lockFile } from './index.ts';

test('a locked file is refused to others until its holder is gone, even by SIGKILL', async () => {
  using directory = temporaryDirectory('lock');
  const path = join(directory.path, 'lock');
  const index = fileURLToPath(new URL('./index.ts', import.meta.url));
  const script = `
    import { openSync } from 'node:fs';
    const { lockFile } = await import(${JSON.stringify(index)});
    console.log(await lockFile(openSync(${JSON.stringify(path)}, 'a'), 'lock'));
    setInterval(() => {}, 1000);`;
  await using holder = new TestProcess(process.execPath, ['--input-type=module', '-e', script]);
  await eventually(() => holder.stdout === 'true\n', { what: `the lock ${holder.stderr}` });
  const descriptor = openSync(path, 'a');
  assert.equal(await lockFile(descriptor, path), false);
  holder.kill('SIGKILL');
  await holder.exited;
  assert.equal(await lockFile(descriptor, path), true);
  closeSync(descriptor);
});

test('a file that cannot be locked at all is no file that another has locked', async () => {
  using directory = temporaryDirectory('lock');
  const path = join(directory.path, 'lock');
  closeSync(openSync(path, 'w'));
  const descriptor = openSync(path, 'r');
  await assert.rejects(
    lockFile(descriptor, path),
    /lock cannot be locked \(fcntl: EBADF\): put it/,
  );
  closeSync(descriptor);
});
