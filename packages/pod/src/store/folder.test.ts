import assert from 'node:assert/strict';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { CachedJson, GrowingLines } from './cached-file.ts';
import { PodFolder } from './folder.ts';
import type { PodRecord } from './record.ts';
import { PodStore } from './store.ts';

function directory(): Disposable & { readonly path: string } {
  const path = mkdtempSync(join(tmpdir(), 'sidekit-folder-'));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true }) };
}

function storeIn({ path }: { readonly path: string }): PodStore {
  return PodStore.open({ root: path, data: join(path, 'volumes') });
}

test('a replaced file is read again, an unchanged one returns the same object', () => {
  using folder = directory();
  const path = join(folder.path, 'status.json');
  const file = new CachedJson<{ n: number }>(path);
  assert.equal(file.read(), undefined);
  writeFileSync(path, '{"n":1}');
  const first = file.read();
  assert.deepEqual(first, { n: 1 });
  assert.equal(file.read(), first);
  writeFileSync(`${path}.new`, '{"n":2}');
  renameSync(`${path}.new`, path);
  assert.deepEqual(file.read(), { n: 2 });
  rmSync(path);
  assert.equal(file.read(), undefined);
});

test('complete lines of a growing file are read once; a recreated file is read from its beginning', () => {
  using folder = directory();
  const path = join(folder.path, 'events.jsonl');
  const file = new GrowingLines<number>(path);
  assert.deepEqual(file.read(), []);
  appendFileSync(path, '1\n2');
  assert.deepEqual(file.read(), [1]);
  appendFileSync(path, '3\n4\n');
  const all = file.read();
  assert.deepEqual(all, [1, 23, 4]);
  assert.equal(file.read(), all);
  writeFileSync(`${path}.new`, '9\n');
  renameSync(`${path}.new`, path);
  assert.deepEqual(file.read(), [9]);
});

test('if two commands start one Pod, one of them gets its folder', () => {
  using folder = directory();
  const store = storeIn(folder);
  assert.equal(store.pod('web').claim(), true);
  assert.equal(store.pod('web').claim(), false);
  store.pod('web').remove();
  assert.equal(store.pod('web').claim(), true);
});

test('one command alone removes a Pod, and never the next one of its name', () => {
  using folder = directory();
  const store = storeIn(folder);
  const pod = store.pod('web');
  pod.claim();
  pod.record = { uid: 'first' } as PodRecord;
  // A process that lives; then one that was killed.
  symlinkSync(String(process.ppid), pod.file('removing'));
  assert.equal(pod.claimRemoval('first'), false);
  rmSync(pod.file('removing'));
  symlinkSync(String(2 ** 30), pod.file('removing'));
  assert.equal(pod.claimRemoval('first'), false, 'released');
  assert.equal(pod.claimRemoval('first'), true);
  assert.equal(pod.claimRemoval('first'), true, 'its own, after a failure');
  pod.remove();
  assert.equal(pod.claimRemoval('first'), false, 'it is gone');
  pod.claim();
  pod.record = { uid: 'second' } as PodRecord;
  assert.equal(pod.claimRemoval('first'), false);
  assert.equal(pod.holds('second'), true);
  assert.ok(!readdirSync(pod.path).includes('removing'));
});

test('a state folder that cannot be written is named with the remedy', () => {
  const pod = new PodFolder('/proc/sidekit/pods/web');
  assert.throws(() => {
    pod.record = { uid: 'a' } as PodRecord;
  }, /record.json cannot be written: .*; free space there, or set SIDEKIT_POD_DIR/);
});

test('what a command that was killed has left is removed by the next one', () => {
  using folder = directory();
  const { root } = storeIn(folder);
  const [left, own] = [2 ** 30, process.pid].map((pid) => {
    const path = join(root, `temporary-${pid}-1-removed`);
    mkdirSync(path);
    writeFileSync(join(path, 'record.json'), '{}');
    return path;
  });
  storeIn(folder);
  assert.equal(existsSync(left ?? ''), false);
  assert.equal(existsSync(own ?? ''), true, 'its command may still use it');
});

test('a Pod that is removed leaves nothing of a supervisor that was killed', () => {
  using folder = directory();
  const store = storeIn(folder);
  const pod = store.pod('web');
  pod.claim();
  pod.record = { uid: 'a-uid' } as PodRecord;
  writeFileSync(pod.socket, '');
  pod.remove();
  assert.deepEqual(readdirSync(join(store.root, 'sockets')), []);
  assert.deepEqual(readdirSync(join(store.root, 'pods')), []);
});
