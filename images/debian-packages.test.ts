import assert from 'node:assert/strict';
import { chmodSync, existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryDirectory } from '@sidekit/test-kit';
import { canUnpackDebianPackages } from './debian-packages.ts';

/** Whether packages can be unpacked where apt-get says this of its mirrors; undefined: no apt-get. */
function withMirrors(mirrors: string | undefined): boolean {
  using directory = temporaryDirectory('apt');
  const { PATH } = process.env;
  if (mirrors !== undefined) {
    const program = join(directory.path, 'apt-get');
    writeFileSync(program, `#!/bin/sh\necho '${mirrors}'\n`);
    chmodSync(program, 0o755);
  }
  process.env.PATH = directory.path;
  try {
    return canUnpackDebianPackages();
  } finally {
    process.env.PATH = PATH;
  }
}

test('Ubuntu, and a machine without apt, do not count as Debian', () => {
  assert.ok(!withMirrors('Ubuntu http://archive.example.org/ubuntu/'));
  assert.ok(!withMirrors('Debian http://security.example.org/debian-security/'));
  assert.ok(!withMirrors(undefined));
});

test('a mirror of Debian counts where its keys are', () => {
  const keys = existsSync('/usr/share/keyrings/debian-archive-keyring.gpg');
  assert.equal(withMirrors('Debian http://deb.example.org/debian/'), keys);
});
