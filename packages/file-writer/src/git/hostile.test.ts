/** Packs of a hostile server or repository: every pack here has a correct checksum. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { deflateSync } from 'node:zlib';
import { temporaryDirectory } from '@sidekit/test-kit';
import { Target } from '../publish/target.ts';
import { openPack } from '../testing/pack.ts';
import { writeSettings } from '../testing/write-settings.ts';
import { BaseCache } from './base-cache.ts';
import type { PackLimits } from './pack.ts';
import { filesOf } from './tree.ts';

const LIMITS: PackLimits = { maxSize: 100_000, maxObjects: 1000 };
const KINDS = { commit: 1, tree: 2, blob: 3, 'ofs-delta': 6, 'ref-delta': 7 };

interface Part {
  readonly kind: keyof typeof KINDS;
  readonly data: Buffer;
  /** The reference to the base, between the head and the data of a delta. */
  readonly base?: Buffer;
  /** The size that the head declares. */
  readonly size?: number;
}

function pack(parts: readonly Part[], { count = parts.length, tail = '' } = {}): Buffer {
  const head = Buffer.from('PACK\0\0\0\x02\0\0\0\0', 'latin1');
  head.writeUInt32BE(count, 8);
  const entries = parts.flatMap(({ kind, data, base = Buffer.alloc(0), size = data.length }) => {
    const bytes = [(KINDS[kind] << 4) | (size & 15)];
    for (let rest = size >> 4; rest > 0; rest >>= 7) {
      bytes[bytes.length - 1]! |= 0x80;
      bytes.push(rest & 127);
    }
    return [Buffer.from(bytes), base, deflateSync(data)];
  });
  const body = Buffer.concat([head, ...entries, Buffer.from(tail)]);
  return Buffer.concat([body, createHash('sha1').update(body).digest()]);
}

const idOf = ({ kind, data }: Part) =>
  createHash('sha1').update(`${kind} ${data.length}\0`).update(data).digest('hex');

const blob = (text: string): Part => ({ kind: 'blob', data: Buffer.from(text) });

function tree(...items: readonly [mode: string, name: string, of: Part][]): Part {
  const lines = items.map(([mode, name, of]) =>
    Buffer.concat([Buffer.from(`${mode} ${name}\0`), Buffer.from(idOf(of), 'hex')]),
  );
  return { kind: 'tree', data: Buffer.concat(lines) };
}

const commitOf = (root: Part): Part => ({
  kind: 'commit',
  data: Buffer.from(`tree ${idOf(root)}\n\nmessage\n`),
});

/** Publishes a commit with this tree; the parts are those below it. */
async function publish(root: Part, parts: readonly Part[], path: string, maxFiles = 1000) {
  const commit = commitOf(root);
  await using opened = await openPack(pack([commit, root, ...parts]), LIMITS);
  const entries = filesOf(opened, idOf(commit), { maxFiles });
  return await new Target(writeSettings(path, { fsync: false })).publish({ kind: 'tree', entries });
}

test('names that lead out of the tree, or from which git itself would run programs, are refused', async () => {
  using directory = temporaryDirectory('hostile');
  const x = blob('x');
  for (const name of ['.git', '.GIT', '..', '.', '', 'a/b', '../a', '/etc']) {
    await assert.rejects(
      publish(tree(['100644', name, x]), [x], join(directory.path, 'site')),
      { reason: 'unsafe_path' },
      JSON.stringify(name),
    );
    const inner = tree(['100644', 'x', x]);
    await assert.rejects(
      publish(tree(['40000', name, inner]), [inner, x], join(directory.path, 'site')),
      { reason: 'unsafe_path' },
      `the directory ${JSON.stringify(name)}`,
    );
  }
  assert.deepEqual(readdirSync(directory.path), ['.site.versions']);
  assert.deepEqual(readdirSync(join(directory.path, '.site.versions')), [], 'nothing is left');
});

test('nothing is written through a link, whatever the order of two entries of the same name', async () => {
  using directory = temporaryDirectory('hostile');
  const [x, inside] = [blob('x'), blob('safe')];
  const inner = tree(['100644', 'f', x]);
  const safe = tree(['100644', 'f', blob('safe')]);
  const link = ['120000', 'a', inside] as const;
  const sub = ['40000', 'a', inner] as const;
  for (const items of [
    [[...link], [...sub]],
    [[...sub], [...link]],
  ] as [string, string, Part][][]) {
    await assert.rejects(
      publish(
        tree(...items, ['40000', 'safe', safe]),
        [inner, safe, x, inside],
        join(directory.path, 'site'),
      ),
      { reason: 'unsafe_path' },
    );
  }
});

test('set-uid bits and unknown modes of a tree never reach the disk', async () => {
  using directory = temporaryDirectory('hostile');
  const x = blob('x');
  const path = join(directory.path, 'site');
  await publish(tree(['104755', 'a', x], ['100755', 'b', x], ['60644', 'device', x]), [x], path);
  assert.equal(statSync(join(path, 'a')).mode & 0o7777, 0o755);
  assert.equal(statSync(join(path, 'b')).mode & 0o7777, 0o755);
  assert.deepEqual(readdirSync(path), ['a', 'b']);
});

test('a directory is one also if an old tool wrote a zero before its mode', async () => {
  using directory = temporaryDirectory('hostile');
  const x = blob('x');
  const inner = tree(['0100644', 'f', x]);
  const path = join(directory.path, 'site');
  await publish(tree(['040000', 'd', inner]), [inner, x], path);
  assert.deepEqual(readdirSync(join(path, 'd')), ['f']);
});

test('a few trees that expand to millions of directories are refused at once', async () => {
  using directory = temporaryDirectory('hostile');
  const parts = [tree()];
  for (let level = 0; level < 12; level++) {
    const below = parts[0]!;
    parts.unshift(
      tree(...Array.from({ length: 10 }, (_, i) => ['40000', `d${i}`, below] as never)),
    );
  }
  const [root, ...rest] = parts;
  await assert.rejects(publish(root!, rest, join(directory.path, 'site')), {
    reason: 'too_large',
    message: /more than 1000 files or directories: raise --max-files/,
  });
});

test('data that unpacks to more or less than its head declares is refused', async () => {
  for (const size of [10, 2000]) {
    const bomb: Part = { kind: 'blob', data: Buffer.alloc(1000), size };
    await assert.rejects(openPack(pack([bomb]), LIMITS), { reason: 'git_pack' });
  }
});

test('many objects of the largest size are refused before they are all unpacked', async () => {
  const large = Array.from({ length: 100 }, (_, i) => blob(String(i).padEnd(99_000)));
  await assert.rejects(openPack(pack(large), LIMITS), {
    reason: 'too_large',
    message: /more than 10 times .* unpacked: raise --max-size/,
  });
});

test('a chain of small deltas that each copy their base many times over is refused', async () => {
  // Each copies the 0xffff first bytes of its base once: small on the wire, large in memory.
  const base = blob('x'.repeat(0xffff));
  const varint = (value: number) => {
    const bytes = [value & 127];
    for (let rest = value >> 7; rest > 0; rest >>= 7) {
      bytes[bytes.length - 1]! |= 0x80;
      bytes.push(rest & 127);
    }
    return bytes;
  };
  const delta = Buffer.from([...varint(0xffff), ...varint(0xffff), 0xb0, 0xff, 0xff]);
  const id = Buffer.from(idOf(base), 'hex');
  const deltas = Array.from(
    { length: 100 },
    (): Part => ({ kind: 'ref-delta', base: id, data: delta }),
  );
  await assert.rejects(openPack(pack([base, ...deltas]), LIMITS), { reason: 'too_large' });
});

test('deltas based on themselves, on each other or on nothing are refused', async () => {
  const delta = Buffer.from([1, 1, 0x90, 1]);
  const a = Buffer.alloc(20, 1);
  const own: Part = { kind: 'ref-delta', base: a, data: delta };
  await assert.rejects(openPack(pack([own, own]), LIMITS), {
    reason: 'git_pack',
    message: /a delta without its base/,
  });
  for (const back of [0, 1, 200]) {
    const offset: Part = { kind: 'ofs-delta', base: Buffer.from([back & 127]), data: delta };
    await assert.rejects(openPack(pack([offset]), LIMITS), { reason: 'git_pack' });
  }
});

/** A chain of deltas that name their bases by id, the first one's base at the end of the array. */
function chain(length: number): Part[] {
  const parts = [blob('0000')];
  for (let i = 1; i < length; i++) {
    const text = String(i).padStart(4, '0');
    const before = blob(String(i - 1).padStart(4, '0'));
    const data = Buffer.concat([Buffer.from([4, 4, 4]), Buffer.from(text)]);
    parts.unshift({ kind: 'ref-delta', base: Buffer.from(idOf(before), 'hex'), data });
  }
  return parts;
}

test('deltas before their bases are read, unless their order would cost a pass for each', async () => {
  const last = idOf(blob('0099'));
  await using opened = await openPack(pack(chain(100)), LIMITS);
  assert.equal(String(await opened.read(last, 'blob', 10)), '0099');
  const mixed = chain(100).toSorted((a, b) => a.data.at(-1)! - b.data.at(-1)!);
  await assert.rejects(openPack(pack(mixed), LIMITS), {
    reason: 'git_pack',
    message: /bases in no order/,
  });
});

test('many tiny bases do not stay in memory', () => {
  const cache = new BaseCache(() => assert.fail('no file is needed'));
  for (let i = 0; i < 100_000; i++) {
    cache.keep(i, Buffer.from('x'));
    cache.get(i - 10);
  }
  assert.equal(cache.get(0), undefined);
  assert.ok(cache.get(99_999));
});

test('more objects than the files can need, and bytes after the last, are refused', async () => {
  await assert.rejects(openPack(pack([blob('a')], { count: 0xffffffff }), LIMITS), {
    reason: 'too_large',
    message: /4294967295 objects: raise --max-files/,
  });
  await assert.rejects(openPack(pack([blob('a')], { count: 2 }), LIMITS), { reason: 'git_pack' });
  await assert.rejects(openPack(pack([blob('a')], { tail: 'more' }), LIMITS), {
    reason: 'git_pack',
    message: /bytes after its objects/,
  });
});

test('the end of the time for one check ends the reading of a pack', async () => {
  const parts = Array.from({ length: 3000 }, (_, i) => blob(String(i)));
  const signal = AbortSignal.abort();
  await assert.rejects(openPack(pack(parts), { maxSize: 1e6, maxObjects: 1e6, signal }), {
    name: 'AbortError',
  });
});
