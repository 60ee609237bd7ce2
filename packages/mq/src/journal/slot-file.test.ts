import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { propertyParameters, temporaryDirectory } from '@sidekit/test-kit';
import fc from 'fast-check';
import { readSlotFile, SlotFile } from './slot-file.ts';

test('a value is read back, by the next process too', () => {
  using directory = temporaryDirectory();
  const path = join(directory.path, 'state');
  assert.equal(readSlotFile(path), undefined);
  const file = new SlotFile(path, { n: 0 });
  for (let n = 1; n <= 5; n++) file.write({ n });
  file.close();
  assert.deepEqual(readSlotFile(path), { n: 5 });
  const again = new SlotFile(path, { n: 0 });
  assert.deepEqual(again.value, { n: 5 });
  again.close();
});

test('property: whatever happens to the bytes of the last write, the value before it is left', () => {
  fc.assert(
    fc.property(fc.nat(4095), fc.integer({ min: 1, max: 255 }), fc.nat(9), (at, flip, writes) => {
      using directory = temporaryDirectory();
      const path = join(directory.path, 'state');
      const file = new SlotFile(path, { n: 0 });
      for (let n = 1; n <= writes; n++) file.write({ n });
      const before = readFileSync(path);
      file.write({ n: writes + 1 });
      file.close();
      const after = readFileSync(path);
      const start = after.subarray(0, 4096).equals(before.subarray(0, 4096)) ? 4096 : 0;
      after[start + at]! ^= flip;
      writeFileSync(path, after);
      const { n } = readSlotFile<{ n: number }>(path) ?? assert.fail('no value');
      // Bytes after the text do not matter.
      assert.ok(n === writes || n === writes + 1, `${n}`);
      const again = new SlotFile(path, { n: 0 });
      assert.equal(again.damaged, n === writes);
      again.close();
    }),
    propertyParameters(100),
  );
});

test('a value that does not fit is refused', () => {
  using directory = temporaryDirectory();
  const file = new SlotFile(join(directory.path, 'state'), '');
  assert.throws(() => file.write('x'.repeat(5000)), RangeError);
  file.close();
});
