import assert from 'node:assert/strict';
import { closeSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { propertyParameters, temporaryDirectory } from '@sidekit/test-kit';
import fc from 'fast-check';
import { sameBytes } from './bytes.ts';

test('files are the same where no byte differs and none is missing, at any length', () => {
  using directory = temporaryDirectory();
  const opened = (name: string, bytes: Buffer) => {
    const path = join(directory.path, name);
    writeFileSync(path, bytes);
    return openSync(path, 'r');
  };
  const size = fc.oneof(fc.nat(200), fc.nat(100_000));
  fc.assert(
    fc.property(size, fc.nat(300), fc.nat(), (length, position, difference) => {
      const bytes = Buffer.alloc(position + length + 100, 'some text\n');
      const at = difference % bytes.length;
      const other = Buffer.from(bytes);
      other[at]! ^= 1;
      const [a, same, changed] = [bytes, bytes, other].map((one, i) => opened(`${i}`, one));
      try {
        const isInside = at >= position && at < position + length;
        assert.equal(sameBytes(a!, same!, position, length), true);
        assert.equal(sameBytes(a!, changed!, position, length), !isInside);
        assert.equal(sameBytes(a!, same!, position, bytes.length - position + 1), false);
      } finally {
        for (const fd of [a, same, changed]) closeSync(fd!);
      }
    }),
    propertyParameters(100),
  );
});
