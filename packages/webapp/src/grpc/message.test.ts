import assert from 'node:assert/strict';
import { test } from 'node:test';
import { propertyParameters } from '@sidekit/test-kit';
import fc from 'fast-check';
import { decodeMessage, encodeMessage } from './message.ts';

test('a text survives encoding, next to fields that nobody knows', () => {
  const unknown = fc.constantFrom('', '1001', '15aabbccdd', '190102030405060708', '1a026162');
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 500 }), unknown, unknown, (text, a, b) => {
      const bytes = [Buffer.from(a, 'hex'), encodeMessage({ text }), Buffer.from(b, 'hex')];
      assert.equal(decodeMessage(Buffer.concat(bytes)).text, text.toWellFormed());
    }),
    propertyParameters(200),
  );
});

test('bytes that are no message are refused with a RangeError, whatever they are', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      try {
        decodeMessage(Buffer.from(bytes));
      } catch (error) {
        assert.ok(error instanceof RangeError);
      }
    }),
    propertyParameters(1000),
  );
  for (const hex of ['0a', '0a05', '0b', '0fff', '0affffffffffffffffffff01'])
    assert.throws(() => decodeMessage(Buffer.from(hex, 'hex')), RangeError, hex);
});
