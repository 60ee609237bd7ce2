import assert from 'node:assert/strict';
import { readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { startProgram, temporaryDirectory } from '@sidekit/test-kit';

const main = new URL('../main.ts', import.meta.url);

test('a second writer of one target is refused with its owner, and takes over when that ends', async () => {
  using directory = temporaryDirectory();
  const [a, b] = ['a', 'b'].map((name) => join(directory.path, name)) as [string, string];
  writeFileSync(a, 'of the first');
  writeFileSync(b, 'of the second');
  symlinkSync('.', join(directory.path, 'same'));
  const start = (from: string, target: string) =>
    startProgram(main, [
      ...['--admin=127.0.0.1:0', '--source=dir', `--from=${from}`, '--interval=50ms'],
      ...[`--target=${join(directory.path, target)}`, '--retry-max=100ms'],
    ]);
  await using first = start(a, 'out');
  await first.event('ready');
  // Another path of the same directory is the same target.
  await using second = start(b, 'same/out');
  const { msg, reason } = await second.event('check_failed');
  assert.equal(reason, 'locked');
  assert.match(String(msg), new RegExp(`process ${first.child.pid} on `));
  assert.equal(readFileSync(join(directory.path, 'out'), 'utf8'), 'of the first');

  await using other = start(b, 'another');
  await other.event('ready');
  first.kill('SIGKILL');
  await second.event('ready');
  assert.equal(readFileSync(join(directory.path, 'out'), 'utf8'), 'of the second');
});
