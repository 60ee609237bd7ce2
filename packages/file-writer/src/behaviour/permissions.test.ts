import assert from 'node:assert/strict';
import { chmodSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { startProgram, temporaryDirectory } from '@sidekit/test-kit';

const main = new URL('../main.ts', import.meta.url);
const NOBODY = 65_532;

/** Runs `--once` as another user without permission; only root can become that user. */
async function asNobody(target: string, ...args: readonly string[]) {
  assert.equal(process.getuid?.(), 0, 'this test must run as root, to start another user');
  await using program = startProgram(
    main,
    [
      ...['--source=clock', '--once', '--once-timeout=500ms', '--admin=127.0.0.1:0'],
      `--target=${target}`,
      ...args,
    ],
    { uid: NOBODY, gid: NOBODY },
  );
  const { code } = await program.exited;
  return { code, log: program.stderr };
}

test('a directory that another user owns is explained, and nothing is left in it', async () => {
  using directory = temporaryDirectory('permissions');
  chmodSync(directory.path, 0o755);
  const { code, log } = await asNobody(join(directory.path, 'page'));
  assert.equal(code, 69, log);
  assert.match(log, /EACCES/);
  assert.match(log, /fsGroup|runAsUser/, 'the remedy');
  assert.deepEqual(readdirSync(directory.path), []);
});

test('an owner that only CAP_CHOWN may set is refused in one sentence', async () => {
  using directory = temporaryDirectory('owner');
  chmodSync(directory.path, 0o777);
  const { code, log } = await asNobody(join(directory.path, 'page'), '--owner=1:1');
  assert.equal(code, 69, log);
  assert.match(log, /EPERM/);
  assert.doesNotMatch(log, /\n\s+at /);
  assert.deepEqual(readdirSync(directory.path), [], 'no file of the wrong owner');
});
