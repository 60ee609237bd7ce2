import assert from 'node:assert/strict';
import { test } from 'node:test';
import { propertyParameters } from '@sidekit/test-kit';
import fc from 'fast-check';
import { copyOut, copyRecord } from './copy.ts';

test('property: a record comes out as it went in, from and to any offset, and nothing else changes', () => {
  const record = fc.uint8Array({ maxLength: 400 });
  fc.assert(
    fc.property(record, fc.nat(9), fc.nat(9), fc.nat(5), (bytes, from, to, word) => {
      const source = new Uint8Array(from + bytes.length + 3).fill(1);
      source.set(bytes, from);
      const memory = new ArrayBuffer(4 * word + 404);
      const ring = { bytes: new Uint8Array(memory), words: new Int32Array(memory) };
      copyRecord(source, from, from + bytes.length, ring, 4 * word);
      const target = new Uint8Array(to + bytes.length + 9).fill(2);
      const wanted = target.slice();
      wanted.set(bytes, to);
      copyOut(ring, 4 * word, 4 * word + bytes.length, target, to);
      assert.deepEqual(target, wanted);
    }),
    propertyParameters(500),
  );
});
