import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryPath } from '@sidekit/core';
import { programFile, temporaryDirectory } from '@sidekit/test-kit';
import type { Content } from '../content.ts';
import { faultyFileSystem } from '../testing/faulty-file-system.ts';
import { writeSettings } from '../testing/write-settings.ts';
import { explainWrite } from './explain.ts';
import type { WriteSettings } from './settings.ts';
import { Target } from './target.ts';
import { checkEntry } from './tree-path.ts';

const file = (text: string): Content => ({ kind: 'file', chunks: [Buffer.from(text)] });
const tree = (text: string): Content => ({
  kind: 'tree',
  entries: [{ path: 'sub/a', chunks: [Buffer.from(text)] }],
});

test('a file has its mode and owner before its first byte', async () => {
  using directory = temporaryDirectory();
  const path = join(directory.path, 'secret');
  const owner = { uid: process.getuid!(), gid: process.getgid!() };
  let seen = '';
  const fileSystem = onWrite(() => {
    const [name = ''] = readdirSync(directory.path);
    const { mode, uid, gid, size } = statSync(join(directory.path, name));
    seen = [(mode & 0o7777).toString(8), uid, gid, size].join(' ');
  });
  const target = new Target(writeSettings(path, { mode: 0o440, owner, fileSystem }));
  await target.publish(file('hush'));
  assert.equal(seen, `440 ${owner.uid} ${owner.gid} 0`);
});

test('the same content again writes nothing, also after a restart, unless the mode differs', async () => {
  using directory = temporaryDirectory();
  for (const [name, make] of [['file', file] as const, ['tree', tree] as const]) {
    const path = join(directory.path, name);
    const first = new Target(writeSettings(path));
    assert.equal((await first.publish(make('a'))).changed, true);
    const before = lstatSync(path).ino;
    assert.equal((await first.publish(make('a'))).changed, false);
    const second = new Target(writeSettings(path));
    await second.open();
    assert.equal((await second.publish(make('a'))).changed, false);
    assert.equal(lstatSync(path).ino, before);
    const third = new Target(writeSettings(path, { mode: 0o600 }));
    await third.open();
    assert.equal((await third.publish(make('a'))).changed, true);
    assert.equal(statSync(name === 'file' ? path : join(path, 'sub/a')).mode & 0o777, 0o600);
  }
});

test('unchanged content is not synced, and small unchanged content is not written', async () => {
  using directory = temporaryDirectory();
  const path = join(directory.path, 'target');
  const cases: readonly [size: number, allowed: readonly string[]][] = [
    [1000, []],
    [1_000_000, ['open', 'chmod', 'write', 'close', 'unlink']],
  ];
  for (const [size, allowed] of cases) {
    async function* stream() {
      for (let at = 0; at < size; at += 1000) yield Buffer.alloc(1000, 'x');
    }
    const { fileSystem, calls } = faultyFileSystem(Number.POSITIVE_INFINITY);
    const target = new Target(writeSettings(path, { fileSystem }));
    await target.publish({ kind: 'file', chunks: stream() });
    assert.ok(calls.includes('sync'), 'a change is synced');
    calls.length = 0;
    assert.equal((await target.publish({ kind: 'file', chunks: stream() })).changed, false);
    const reads = ['lstat', 'readlink', 'mkdir'];
    const rest = calls.filter((call) => !reads.includes(call) && !allowed.includes(call));
    assert.deepEqual(rest, [], `${size} bytes`);
  }
});

test('a tree keeps as many old versions as asked for, and a return to an old one is a new version', async () => {
  using directory = temporaryDirectory();
  const path = join(directory.path, 'site');
  const target = new Target(writeSettings(path, { keep: 1 }));
  for (const text of ['a', 'b', 'c', 'a']) assert.ok((await target.publish(tree(text))).changed);
  const versions = readdirSync(join(directory.path, '.site.versions'));
  assert.deepEqual(
    versions.map((name) => name.slice(0, 6)),
    ['000003', '000004'],
  );
  assert.match(readlinkSync(path), /^\.site\.versions\/000004\./);

  const patient = new Target(writeSettings(path, { keep: 0, keepFor: 60_000 }));
  await patient.publish(tree('d'));
  const left = readdirSync(join(directory.path, '.site.versions'));
  assert.equal(left.length, 3, 'a version that was current just now stays');
  assert.equal(readFileSync(join(path, 'sub/a'), 'utf8'), 'd');
});

test('a start removes its own leftovers and nobody else’s', async () => {
  using directory = temporaryDirectory();
  const path = join(directory.path, 'a');
  const foreign = temporaryPath(join(directory.path, 'b'));
  writeFileSync(foreign, '');
  writeFileSync(temporaryPath(path), '');
  symlinkSync('x', temporaryPath(path));
  const building = temporaryPath(join(directory.path, '.a.versions/a'));
  mkdirSync(join(building, 'deep'), { recursive: true });
  assert.equal(await new Target(writeSettings(path)).open(), 3);
  assert.deepEqual(
    readdirSync(directory.path).map((name) => join(directory.path, name)),
    [foreign, join(directory.path, '.a.versions')].toSorted(),
  );
});

test('a directory in the way is explained, and left alone', async () => {
  using directory = temporaryDirectory();
  const path = join(directory.path, 'target');
  mkdirSync(join(path, 'inside'), { recursive: true });
  for (const make of [file, tree]) {
    await assert.rejects(new Target(writeSettings(path)).publish(make('x')), {
      reason: 'is_directory',
      message: /target cannot be written .*EISDIR.*choose a name that is free/,
    });
  }
  assert.deepEqual(readdirSync(path), ['inside']);
});

/** The real file system, with a call before each write to a file. */
function onWrite(before: () => void): WriteSettings['fileSystem'] {
  const { fileSystem } = faultyFileSystem(Number.POSITIVE_INFINITY);
  return {
    ...fileSystem,
    open: async (...args) => {
      const handle = await fileSystem.open(...args);
      const write = handle.write.bind(handle);
      handle.write = ((...bytes: Parameters<typeof write>) => {
        before();
        return write(...bytes);
      }) as typeof handle.write;
      return handle;
    },
  };
}

test('a partially appended line is removed', async () => {
  using directory = temporaryDirectory();
  const path = join(directory.path, 'log');
  const target = new Target(writeSettings(path));
  await target.publish({ kind: 'line', text: 'first\n' });
  const { fileSystem } = faultyFileSystem(Number.POSITIVE_INFINITY);
  const short: typeof fileSystem = {
    ...fileSystem,
    open: async (...args) => {
      const handle = await fileSystem.open(...args);
      const write = handle.write.bind(handle);
      handle.write = ((bytes: Buffer) => write(bytes, 0, 3)) as typeof handle.write;
      return handle;
    },
  };
  await assert.rejects(
    new Target({ ...writeSettings(path), fileSystem: short }).publish({
      kind: 'line',
      text: 'second\n',
    }),
    { reason: 'disk_full', message: /took 3 of 7 bytes/ },
  );
  assert.equal(readFileSync(path, 'utf8'), 'first\n');
});

test('every error of the write path that users meet has a reason and a remedy', () => {
  for (const code of [
    'EBUSY',
    'EROFS',
    'EACCES',
    'EPERM',
    'EISDIR',
    'ENOSPC',
    'EDQUOT',
    'ENOTDIR',
  ]) {
    const error = explainWrite(Object.assign(new Error(code), { code }), '/t') as Error;
    assert.match(error.message, /^\/t cannot be written \(E[A-Z]+\): .{20,}/, code);
  }
  const busy = explainWrite(Object.assign(new Error('EBUSY'), { code: 'EBUSY' }), '/t') as Error;
  assert.match(busy.message, /subPath .* mount the directory instead/);
});

test('links and paths that leave the tree are refused, others are not', () => {
  for (const link of ['/etc', '..', '../x', 'a/../../x', 'a/..', './../../x']) {
    assert.throws(() => checkEntry({ path: 'l', link }), { reason: 'unsafe_path' }, link);
  }
  for (const path of ['../x', '/x', 'a//b', 'a/./b', '', 'a/..', 'a\0b']) {
    assert.throws(() => checkEntry({ path, chunks: [] }), { reason: 'unsafe_path' }, path);
  }
  for (const link of ['a', './a', '../a', '../../r', 'x..y', '.a/..b']) {
    checkEntry({ path: 'deep/er/l', link });
  }
});

test('a mount point, a read-only and a full volume are explained as the kernel reports them', () => {
  using directory = temporaryDirectory();
  const { path: root } = directory;
  writeFileSync(join(root, 'page'), 'old');
  writeFileSync(join(root, 'other'), 'old');
  writeFileSync(join(root, 'large'), Buffer.alloc(300_000));
  for (const name of ['ro', 'small']) mkdirSync(join(root, name));
  assert.match(
    writeUnderMount(`mount --bind ${root}/other ${root}/page`, root, 'page'),
    /EBUSY.*mount the directory instead/,
  );
  assert.match(
    writeUnderMount(`mount -t tmpfs -o ro none ${root}/ro`, root, 'ro/page'),
    /EROFS.*mount a writable volume/,
  );
  assert.match(
    writeUnderMount(
      `mount -t tmpfs -o size=64k none ${root}/small && echo old > ${root}/small/page`,
      root,
      'small/page',
      {
        after: `test "$(cat ${root}/small/page)" = old && test "$(ls -A ${root}/small)" = page && echo kept`,
      },
    ),
    /ENOSPC.*raise the sizeLimit of the emptyDir.*kept/s,
  );
  mkdirSync(join(root, 'inodes'));
  assert.match(
    writeUnderMount(`mount -t tmpfs -o nr_inodes=1 none ${root}/inodes`, root, 'inodes/page'),
    /ENOSPC.*no free inodes/,
  );
  for (const name of ['few', 'tree']) mkdirSync(join(root, name));
  for (let i = 0; i < 8; i++) writeFileSync(join(root, 'tree', String(i)), 'x');
  assert.match(
    writeUnderMount(`mount -t tmpfs -o nr_inodes=6 none ${root}/few`, root, 'few/site', {
      from: 'tree',
    }),
    /ENOSPC.*no free inodes/,
  );
  assert.equal(readFileSync(join(root, 'page'), 'utf8'), 'old');
});

test('a failure has the same text at every try, and a file in the way of a directory is one', async () => {
  using directory = temporaryDirectory();
  const messages = new Set<string>();
  writeFileSync(join(directory.path, 'page'), 'a file');
  for (let i = 0; i < 3; i++) {
    const target = new Target(writeSettings(join(directory.path, 'page/below')));
    await assert.rejects(target.publish(file('x')), { reason: 'not_directory' });
    mkdirSync(join(directory.path, 'taken'), { recursive: true });
    const taken = new Target(writeSettings(join(directory.path, 'taken')));
    messages.add(String(await taken.publish(file('x')).catch((error) => error)));
  }
  assert.equal(messages.size, 1, [...messages].join());
});

test('a link that other users cannot follow is remarked', async () => {
  using directory = temporaryDirectory();
  const path = join(directory.path, 'volume/site');
  mkdirSync(join(directory.path, 'volume'));
  chmodSync(join(directory.path, 'volume'), 0o1777);
  const publish = async () => await new Target(writeSettings(path)).publish(tree('a'));
  assert.equal((await publish()).protectedLink, false, 'its own directory');
  if (process.getuid?.() !== 0) return;
  chownSync(join(directory.path, 'volume'), 1, 1);
  assert.equal((await publish()).protectedLink, true);
});

/** Runs the program in a mount namespace of its own; returns what it printed. */
function writeUnderMount(
  mount: string,
  root: string,
  target: string,
  { after = 'true', from = 'large' } = {},
): string {
  const program = programFile(new URL('../main.ts', import.meta.url));
  const write = `${process.execPath} ${program} --admin 127.0.0.1:0 --source dir --from ${root}/${from} --once --once-timeout 3s --target ${root}/${target}`;
  const namespace = process.getuid?.() === 0 ? '-m' : '-rm';
  return execFileSync(
    'unshare',
    [namespace, 'sh', '-c', `set -e; ${mount}; if ${write} 2>&1; then exit 1; fi; ${after}`],
    { encoding: 'utf8' },
  );
}
