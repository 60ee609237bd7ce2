import assert from 'node:assert/strict';
import { chmodSync, chownSync, existsSync, lstatSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { TestProcess, temporaryDirectory } from '@sidekit/test-kit';

const START = fileURLToPath(new URL('../pod.mjs', import.meta.url));
const isRoot = process.getuid?.() === 0;
const USER = isRoot ? 65_534 : (process.getuid?.() ?? 0);

/** Starts `pod` as an ordinary user; returns the folder of that user's compiled modules. */
async function start(home: string): Promise<string> {
  const env = { HOME: home, XDG_CACHE_HOME: '', NODE_COMPILE_CACHE: '', TMPDIR: home };
  const user = isRoot ? { uid: USER, gid: USER } : {};
  await using program = new TestProcess(process.execPath, [START, '--version'], { env, ...user });
  assert.equal((await program.exited).code, 0, program.stderr);
  // Node's default folder, which anybody may have prepared.
  assert.ok(!existsSync(join(home, 'node-compile-cache')));
  return join(home, '.cache/sidekit-pod');
}

function homeFolder(): Disposable & { path: string } {
  const directory = temporaryDirectory('compile-cache');
  chownSync(directory.path, USER, USER);
  return directory;
}

test('compiled modules are kept in a folder of the user', async () => {
  using home = homeFolder();
  const folder = await start(home.path);
  assert.equal(lstatSync(folder).mode & 0o777, 0o700);
  const [version = ''] = readdirSync(folder);
  assert.ok(readdirSync(join(folder, version)).length > 10);
});

test('a home in which nothing can be created costs the cache alone', async () => {
  const env = { HOME: '/proc/sys', XDG_CACHE_HOME: '', NODE_COMPILE_CACHE: '' };
  const user = isRoot ? { uid: USER, gid: USER } : {};
  await using program = new TestProcess(process.execPath, [START, '--version'], { env, ...user });
  assert.equal((await program.exited).code, 0, program.stderr);
});

test('a cache that others can write, or that belongs to them, is not used', async () => {
  for (const [owner, mode] of [
    [USER, 0o777],
    ...(isRoot ? [[USER + 1, 0o777] as const] : []),
  ] as const) {
    using home = homeFolder();
    const folder = join(home.path, '.cache/sidekit-pod');
    mkdirSync(folder, { recursive: true });
    chmodSync(folder, mode);
    chownSync(folder, owner, owner);
    await start(home.path);
    assert.deepEqual(readdirSync(folder), [], `owner ${owner}`);
  }
});
