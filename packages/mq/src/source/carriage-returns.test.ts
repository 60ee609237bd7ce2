import assert from 'node:assert/strict';
import { test } from 'node:test';
import { propertyParameters } from '@sidekit/test-kit';
import fc from 'fast-check';
import { dropCarriageReturns, longestLine } from './carriage-returns.ts';

const text = fc.string({ unit: fc.constantFrom('a', 'b', '\r', '\n', '\r\n'), maxLength: 30 });

test('property: exactly the carriage returns before line feeds are dropped', () => {
  fc.assert(
    fc.property(text, text, text, (before, middle, after) => {
      const bytes = Buffer.from(`${before}|${middle}|${after}`);
      const start = before.length + 1;
      const end = dropCarriageReturns(bytes, start, start + middle.length);
      assert.equal(bytes.toString('utf8', start, end), middle.replaceAll('\r\n', '\n'));
      assert.equal(bytes.toString('utf8', 0, start), `${before}|`);
    }),
    propertyParameters(500),
  );
});

test('property: the longest line is measured without its line end', () => {
  fc.assert(
    fc.property(text, (lines) => {
      const lengths = lines.split(/\r?\n/).map(({ length }) => length);
      assert.equal(longestLine(Buffer.from(lines)), Math.max(...lengths));
    }),
    propertyParameters(500),
  );
});
