import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import {
  closeSync,
  fstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ExpectedError } from '@sidekit/core';
import { propertyParameters, temporaryDirectory } from '@sidekit/test-kit';
import fc from 'fast-check';
import { openInside } from './open-inside.ts';

const linux = process.platform === 'linux' ? test : test.skip;
const NEW = { mode: 0o755, group: undefined };

const part = fc.constantFrom('a', 'b', 'c', '.', 'outside');
const target = fc.constantFrom(
  ...['a', 'b/c', '..', '../..', '../outside', '/', '/etc', '/proc/self/root', '/proc/self/cwd'],
  ...['../volume/b', '.', 'c', './a/../../outside', 'missing', '/proc/self/fd/0'],
);
const entry = fc.record({
  at: fc.array(part, { minLength: 1, maxLength: 3 }),
  kind: fc.oneof(fc.constant('folder' as const), fc.constant('file' as const), target),
});
const subPath = fc
  .array(fc.oneof(part, fc.constantFrom('..', '', 'missing', 'new')), {
    minLength: 1,
    maxLength: 5,
  })
  .map((parts) => parts.join('/'));

linux('no tree of links and no subPath leads out of the volume', () => {
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 8 }), subPath, (tree, path) => {
      using directory = temporaryDirectory('open-inside');
      const volume = join(realpathSync(directory.path), 'volume');
      const outside = join(directory.path, 'outside');
      for (const folder of [volume, outside]) mkdirSync(folder);
      writeFileSync(join(outside, 'flag'), 'host');
      for (const { at, kind } of tree) plant(volume, at, kind);
      const hosts = () => [readdirSync(outside), readdirSync(directory.path)];
      const before = hosts();
      let descriptor: number;
      try {
        descriptor = openInside(volume, path, NEW);
      } catch (error) {
        assert.ok(error instanceof ExpectedError, String(error));
        assert.deepEqual(hosts(), before);
        return;
      }
      try {
        const opened = readlinkSync(`/proc/self/fd/${descriptor}`);
        const root = realpathSync(volume);
        assert.ok(opened === root || opened.startsWith(`${root}/`), opened);
        assert.deepEqual(hosts(), before);
      } finally {
        closeSync(descriptor);
      }
    }),
    propertyParameters(150),
  );
});

/** Adds an entry below the volume, never through a link that is already there. */
function plant(volume: string, at: readonly string[], kind: string) {
  const path = join(volume, ...at);
  try {
    const parent = realpathSync(join(path, '..'));
    if (parent !== volume && !parent.startsWith(`${volume}/`)) return;
    if (kind === 'folder') mkdirSync(path);
    else if (kind === 'file') writeFileSync(path, '', { flag: 'wx' });
    else symlinkSync(kind, path);
  } catch {
    // Another entry of the tree is in the way.
  }
}

linux('links inside the volume are followed, and missing folders get the requested mode', () => {
  using directory = temporaryDirectory('open-inside');
  const { path } = directory;
  mkdirSync(join(path, '..v-1'));
  writeFileSync(join(path, '..v-1/key'), 'value');
  symlinkSync('..v-1', join(path, '..data'));
  symlinkSync('..data/key', join(path, 'key'));
  const key = openInside(path, 'key', NEW);
  assert.equal(readFileSync(`/proc/self/fd/${key}`, 'utf8'), 'value');
  closeSync(key);
  const folder = openInside(path, 'x/y', { mode: 0o777, group: undefined });
  assert.equal(fstatSync(folder).ino, statSync(join(path, 'x/y')).ino);
  assert.equal(statSync(join(path, 'x/y')).mode & 0o7777, 0o777);
  closeSync(folder);
});

linux('a folder that a container swaps for a link again and again is never left', async () => {
  using directory = temporaryDirectory('open-inside');
  const { path } = directory;
  for (const folder of ['volume', 'outside']) mkdirSync(join(path, folder));
  const swap = `
    const fs = require('node:fs');
    process.chdir(${JSON.stringify(join(path, 'volume'))});
    for (;;) {
      try { fs.mkdirSync('d'); } catch {}
      fs.rmSync('d', { recursive: true, force: true });
      try { fs.symlinkSync('../outside', 'd'); } catch {}
      fs.rmSync('d', { force: true });
    }`;
  const flipper = spawn(process.execPath, ['-e', swap], { stdio: 'ignore' });
  const forbidden = statSync(join(path, 'outside')).ino;
  let opened = 0;
  let refused = 0;
  const until = performance.now() + (process.env.SIDEKIT_LONG ? 30_000 : 1000);
  while (performance.now() < until || opened + refused < 1000) {
    try {
      const descriptor = openInside(join(path, 'volume'), 'd/e', NEW);
      assert.notEqual(fstatSync(descriptor).ino, forbidden);
      closeSync(descriptor);
      opened++;
    } catch (error) {
      if (!(error instanceof ExpectedError)) throw error;
      refused++;
    }
    // The host's folder is never even written to.
    assert.deepEqual(readdirSync(join(path, 'outside')), []);
  }
  flipper.kill('SIGKILL');
  await new Promise((resolve) => flipper.once('close', resolve));
  assert.ok(opened + refused >= 1000);
});
