import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { temporaryDirectory } from '@sidekit/test-kit';
import { memoryLimit, sizeByMemory } from './memory-limit.ts';

const MiB = 1024 * 1024;

function limitIn(membership: string, files: Readonly<Record<string, string>>) {
  using directory = temporaryDirectory();
  for (const [path, content] of Object.entries({ 'proc-cgroup': membership, ...files })) {
    mkdirSync(dirname(join(directory.path, path)), { recursive: true });
    writeFileSync(join(directory.path, path), content);
  }
  return memoryLimit({
    cgroups: join(directory.path, 'fs'),
    membership: join(directory.path, 'proc-cgroup'),
  });
}

test('version 2: the least limit of the cgroup and all above', () => {
  assert.equal(limitIn('0::/\n', { 'fs/memory.max': `${128 * MiB}\n` }), 128 * MiB);
  const files = {
    'fs/pod/c/memory.max': 'max\n',
    'fs/pod/memory.max': `${64 * MiB}\n`,
    'fs/memory.max': `${256 * MiB}\n`,
  };
  assert.equal(limitIn('0::/pod/c\n', files), 64 * MiB);
});

test('version 1: by the path of the host, or at the root inside a container', () => {
  const membership = '12:cpu,cpuacct:/x\n5:memory:/kubepods/pod1/c1\n0::/x\n';
  const file = 'memory.limit_in_bytes';
  assert.equal(limitIn(membership, { [`fs/memory/${file}`]: `${128 * MiB}\n` }), 128 * MiB);
  const own = { [`fs/memory/kubepods/pod1/c1/${file}`]: `${32 * MiB}\n` };
  assert.equal(limitIn(membership, own), 32 * MiB);
});

test('no limit is none, in both versions and without cgroups', () => {
  assert.equal(limitIn('0::/\n', { 'fs/memory.max': 'max\n' }), undefined);
  const unlimited = { 'fs/memory/memory.limit_in_bytes': '9223372036854771712\n' };
  assert.equal(limitIn('5:memory:/\n', unlimited), undefined);
  assert.equal(limitIn('', {}), undefined);
});

test('a size is a share of the limit, between the least and the most', () => {
  const options = { share: 0.25, least: 4 * MiB, most: 64 * MiB };
  assert.equal(sizeByMemory(options, 128 * MiB), 32 * MiB);
  assert.equal(sizeByMemory(options, 8 * MiB), 4 * MiB);
  assert.equal(sizeByMemory(options, 1024 * MiB), 64 * MiB);
  assert.equal(
    sizeByMemory(options, undefined),
    memoryLimit() === undefined ? 64 * MiB : sizeByMemory(options),
  );
});
