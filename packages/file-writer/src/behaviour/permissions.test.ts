import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { startProgram, TestProcess, temporaryDirectory } from '@sidekit/test-kit';

const main = new URL('../main.ts', import.meta.url);
const NOBODY = 65_532;
const CLOCK = ['--source=clock', '--once-timeout=500ms'];

/** Runs `--once` as another user without permission; only root can become that user. */
async function asNobody(target: string, ...args: readonly string[]) {
  assert.equal(process.getuid?.(), 0, 'this test must run as root, to start another user');
  await using program = startProgram(
    main,
    [...['--once', '--admin=127.0.0.1:0', `--target=${target}`], ...args],
    { uid: NOBODY, gid: NOBODY },
  );
  const { code } = await program.exited;
  return { code, log: program.stderr };
}

test('a directory that another user owns is explained, and nothing is left in it', async () => {
  using directory = temporaryDirectory('permissions');
  chmodSync(directory.path, 0o755);
  const { code, log } = await asNobody(join(directory.path, 'page'), ...CLOCK);
  assert.equal(code, 69, log);
  assert.match(log, /EACCES/);
  assert.match(log, /fsGroup|runAsUser/, 'the remedy');
  assert.deepEqual(readdirSync(directory.path), []);
});

test('an owner that only CAP_CHOWN may set is refused in one sentence', async () => {
  using directory = temporaryDirectory('owner');
  chmodSync(directory.path, 0o777);
  const { code, log } = await asNobody(join(directory.path, 'page'), ...CLOCK, '--owner=1:1');
  assert.equal(code, 69, log);
  assert.match(log, /EPERM/);
  assert.doesNotMatch(log, /\n\s+at /);
  assert.deepEqual(readdirSync(directory.path), [], 'no file of the wrong owner');
});

test('in a sticky directory, as emptyDir with medium: Memory is, a target below it has readers of any user', async () => {
  using directory = temporaryDirectory('sticky');
  const volume = join(directory.path, 'volume');
  mkdirSync(volume);
  const source = join(directory.path, 'source');
  mkdirSync(source);
  writeFileSync(join(source, 'page'), 'one');
  chmodSync(directory.path, 0o755);
  chmodSync(volume, 0o1777);
  const script = `const { readdirSync, readFileSync } = require('node:fs');
    console.log(readdirSync(process.argv[1]).join(), readFileSync(process.argv[1] + '/page', 'utf8'));`;
  const protectedLinks = readFileSync('/proc/sys/fs/protected_symlinks', 'utf8').trim() === '1';
  for (const [target, warned] of [
    [join(volume, 'site'), true],
    [join(volume, 'below/site'), false],
  ] as const) {
    const args = ['--source=dir', `--from=${source}`, '--once-timeout=1m'];
    const { code, log } = await asNobody(target, ...args);
    assert.equal(code, 0, log);
    assert.equal(/put the target in a directory below it/.test(log), warned, log);
    await using reader = new TestProcess(process.execPath, ['-e', script, target], {
      uid: NOBODY + 1,
      gid: NOBODY + 1,
    });
    const denied = warned && protectedLinks;
    assert.equal((await reader.exited).code, denied ? 1 : 0, reader.stderr);
    assert.match(denied ? reader.stderr : reader.stdout, denied ? /EACCES/ : /^page one$/m);
  }
});
