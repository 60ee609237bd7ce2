import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { temporaryDirectory } from '@sidekit/test-kit';
import { run, succeeds } from '../scripts/support/run.ts';
import { makeBaseRootfs } from './base-rootfs.ts';
import { bundle } from './bundle.ts';
import { IMAGES } from './catalog.ts';
import { warmCodeCache } from './code-cache.ts';
import { copyFiles } from './debian-files.ts';
import { canUnpackDebianPackages, unpackDebianPackages } from './debian-packages.ts';

/**
 * Every image for arm64, with the libraries and the Node of its base, under Debian's qemu-user: a
 * file of another architecture, or one that is missing, starts nowhere. The package
 * qemu-user-static has another name for it.
 */
const QEMU = (await succeeds('qemu-aarch64-static', ['--version']))
  ? 'qemu-aarch64-static'
  : 'qemu-aarch64';
const { version } = JSON.parse(readFileSync('package.json', 'utf8'));

async function obstacle(): Promise<string | false> {
  if (process.env.SIDEKIT_LONG !== '1') return 'it takes minutes: npm run test:long -- arm64';
  if (process.arch !== 'x64') return 'this machine is not amd64';
  if (!canUnpackDebianPackages()) return 'needs the Debian packages of another architecture';
  return !(await succeeds(QEMU, ['--version'])) && 'needs Debian’s qemu-user';
}

/** Prints whether V8 takes the code cache of a bundle. */
const CACHE_TAKEN = `const { readFileSync } = require('node:fs');
const [, folder] = process.argv;
const cachedData = readFileSync(folder + '/bundle.cache');
const filename = folder + '/bundle.cjs';
const script = new (require('node:vm').Script)(readFileSync(filename, 'utf8'), { filename, cachedData });
console.log(script.cachedDataRejected);`;

describe('images for arm64', { skip: await obstacle() }, () => {
  const directory = temporaryDirectory('arm64');
  const root = join(directory.path, 'root');
  const node = [QEMU, '-L', root, join(root, 'nodejs/bin/node')];
  const onArm = (...words: string[]) => {
    const [program = '', ...args] = [...node, ...words];
    return run(program, args);
  };
  before(() => {
    const tar = join(directory.path, 'base.tar');
    makeBaseRootfs(tar, 'arm64');
    mkdirSync(root);
    execFileSync('tar', ['-xf', tar, '-C', root]);
  });
  after(() => directory.remove());

  for (const image of IMAGES) {
    test(`${image.name} starts, and takes its code cache`, async () => {
      const app = join(directory.path, image.name);
      await bundle(image, app, 'arm64');
      await warmCodeCache(image, app, { command: node, directory: app, env: process.env });
      const flags = ['--max-semi-space-size=2'];
      const printed = await onArm(...flags, join(app, 'main.cjs'), '--version');
      assert.equal(printed.trim(), version);
      assert.equal((await onArm(...flags, '-e', CACHE_TAKEN, app)).trim(), 'false');
      if (image.debian) {
        const debian = join(directory.path, `${image.name}-debian`);
        unpackDebianPackages(image.debian.packages, 'arm64', debian);
        copyFiles(debian, image.debian.files, app);
        const programs = image.debian.files.filter((file) => /(^|\/)bin\//.test(file));
        for (const program of programs) {
          const libraries = `LD_LIBRARY_PATH=${app}`;
          const name = join(app, program.split('/').at(-1) ?? '');
          const text = await run(QEMU, ['-L', root, '-E', libraries, name, '--version']);
          assert.match(text, /version \d/, name);
        }
      }
    });
  }
});
