import assert from 'node:assert/strict';
import { test } from 'node:test';
import { propertyParameters } from '@sidekit/test-kit';
import fc from 'fast-check';
import { Base64Decoder } from './base64-decoder.ts';

test('parts of base64, padded or not, survive any cut into pieces', () => {
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ minLength: 1, maxLength: 30 }), { maxLength: 6 }),
      fc.array(fc.nat(200), { maxLength: 8 }),
      (parts, cuts) => {
        const text = parts.map((part) => Buffer.from(part).toString('base64')).join('');
        const ends = [...cuts.map((cut) => Math.min(cut, text.length)), text.length];
        const decoder = new Base64Decoder();
        let at = 0;
        const decoded = ends
          .toSorted((a, b) => a - b)
          .map((end) => {
            const piece = decoder.decode(Buffer.from(text.slice(at, end)));
            at = end;
            assert.ok(piece !== undefined, text);
            return piece;
          });
        assert.ok(decoder.complete);
        assert.deepEqual(Buffer.concat(decoded), Buffer.concat(parts));
      },
    ),
    propertyParameters(500),
  );
});

test('what is not base64 is refused', () => {
  for (const text of ['====', 'A===', 'AA=A', 'AB-_', 'AA A', 'AA\n=', '=AAA', 'AAAAA=AA', 'é'])
    assert.equal(new Base64Decoder().decode(Buffer.from(text)), undefined, text);
  const open = new Base64Decoder();
  assert.deepEqual(open.decode(Buffer.from('AAAAA')), Buffer.alloc(3));
  assert.ok(!open.complete);
});
