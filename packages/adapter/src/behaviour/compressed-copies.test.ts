import assert from 'node:assert/strict';
import {
  copyFileSync,
  readFileSync,
  renameSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { scene } from '../testing/scene.ts';

const CHANGES: Readonly<Record<string, (live: string, packed: string) => void>> = {
  'is renamed by the next rotation': (live, packed) => renameSync(packed, `${live}.2.gz`),
  'is removed': (_live, packed) => unlinkSync(packed),
  'is replaced': (live, packed) => {
    copyFileSync(packed, `${live}.new`);
    renameSync(`${live}.new`, packed);
  },
  'becomes older than all that is unread': (live) => {
    const later = Date.now() / 1000 + 60;
    utimesSync(live, later, later);
  },
};

for (const [what, change] of Object.entries(CHANGES)) {
  test(`a log is read on when a compressed copy ${what} while it is unpacked`, {
    timeout: 120_000,
  }, async () => {
    await using s = await scene();
    s.write('one\n');
    await s.settle();
    const packed = `${s.live}.1.gz`;
    writeFileSync(packed, gzipSync(readFileSync(s.live)));
    await s.adapter.poll();
    s.write('two\n');
    change(s.live, packed);
    await s.settle();
    s.write('three\n');
    await s.settle();
    assert.deepEqual(s.messages(), ['one', 'two', 'three']);
  });
}

test('a file that was created, rotated and compressed between two scans is read', async () => {
  await using s = await scene();
  s.write('one\n');
  await s.settle();
  renameSync(s.live, `${s.live}.2`);
  s.write('two\n');
  writeFileSync(`${s.live}.1.gz`, gzipSync(readFileSync(s.live)));
  unlinkSync(s.live);
  s.write('three\n');
  await s.settle();
  assert.deepEqual(s.messages(), ['one', 'two', 'three']);
});

test('what a killed adapter had delivered and not saved keeps its key if it is compressed meanwhile', async () => {
  await using s = await scene({ checkpointInterval: '1m' });
  s.write('one\n');
  await s.adapter.poll();
  await s.adapter.until('adapter_delivered_records_total', (count) => count === 1);
  await s.restart('crash', () => {
    writeFileSync(`${s.live}.1.gz`, gzipSync(readFileSync(s.live)));
    unlinkSync(s.live);
    s.write('two\n');
  });
  await s.settle();
  const keys = s.receiver.records.map((one) => `${one.message} ${one['file.id']} ${one.offset}`);
  assert.equal(keys.length, 3);
  assert.equal(new Set(keys).size, 2, keys.join('\n'));
});
