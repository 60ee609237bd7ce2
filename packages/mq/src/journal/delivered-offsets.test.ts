import assert from 'node:assert/strict';
import { readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryDirectory } from '@sidekit/test-kit';
import { DeliveredOffsets } from './delivered-offsets.ts';

const damages: Readonly<Record<string, (path: string) => void>> = {
  flipped: (path) => {
    const bytes = readFileSync(path);
    const newest = bytes.readUInt32BE(4) > bytes.readUInt32BE(4096 + 4) ? 0 : 4096;
    bytes[newest + 20]! ^= 1;
    writeFileSync(path, bytes);
  },
  'cut in the middle': (path) => truncateSync(path, 4096),
};

for (const [name, damage] of Object.entries(damages)) {
  test(`a file that is ${name} names no place to cut off the sink at`, () => {
    using directory = temporaryDirectory();
    const path = join(directory.path, 'inbox');
    const first = new DeliveredOffsets(path);
    for (const sequence of [10, 20, 30]) {
      first.note('s', sequence);
      first.keep({ inode: 1, size: sequence });
    }
    first.close();
    damage(path);
    const second = new DeliveredOffsets(path);
    assert.equal(second.damaged, true);
    assert.equal(second.sink, undefined, 'records after it were acknowledged');
    assert.ok(second.received('s') >= 20);
    second.keep({ inode: 1, size: 40 });
    second.keep({ inode: 1, size: 40 });
    second.close();
    const third = new DeliveredOffsets(path);
    assert.deepEqual([third.damaged, third.sink], [false, { inode: 1, size: 40 }]);
    third.close();
  });
}
