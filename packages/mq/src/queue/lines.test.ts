import assert from 'node:assert/strict';
import { test } from 'node:test';
import { propertyParameters } from '@sidekit/test-kit';
import fc from 'fast-check';
import { measureLines } from './lines.ts';

test('property: lines are found where split finds them, at any offset and for any bytes', () => {
  const line = fc.uint8Array({ maxLength: 40 }).map((bytes) => bytes.filter((byte) => byte !== 10));
  fc.assert(
    fc.property(fc.array(line, { minLength: 1, maxLength: 20 }), fc.nat(9), (lines, start) => {
      const text = Buffer.concat(lines.map((one) => Buffer.from([...one, 10])));
      const bytes = Buffer.from(new ArrayBuffer(start + text.length + 9)).fill(10);
      text.copy(bytes, start);
      const ends = new Uint32Array(text.length);
      const end = start + text.length;
      const { count, longest } = measureLines(bytes, start, end, ends);
      assert.equal(count, lines.length);
      assert.equal(longest, Math.max(...lines.map(({ length }) => length)));
      let at = start;
      for (const [i, one] of lines.entries()) {
        at += one.length;
        assert.equal(ends[i], at++);
      }
      const few = new Uint32Array(Math.ceil(count / 2));
      assert.equal(measureLines(bytes, start, end, few).count, few.length);
      assert.deepEqual(few, ends.subarray(0, few.length));
    }),
    propertyParameters(500),
  );
});
