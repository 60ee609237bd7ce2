import assert from 'node:assert/strict';
import { test } from 'node:test';
import { propertyParameters } from '@sidekit/test-kit';
import fc from 'fast-check';
import { rfc3339 } from './rfc3339.ts';

const EARLIEST = Date.parse('0000-01-01T00:00:00Z');
const LATEST = Date.parse('9999-12-31T23:59:59.999Z');

test('a time is written as Date writes it, whatever the year', () => {
  fc.assert(
    fc.property(fc.integer({ min: EARLIEST, max: LATEST }), (milliseconds) => {
      assert.equal(rfc3339(milliseconds), new Date(milliseconds).toISOString());
    }),
    propertyParameters(2000),
  );
});

test('every day of 400 years has its date', () => {
  for (let day = 0; day <= 146_097; day++) {
    const milliseconds = day * 86_400_000;
    assert.equal(rfc3339(milliseconds), new Date(milliseconds).toISOString());
  }
});

test('the first and the last millisecond that RFC 3339 can write are written', () => {
  assert.equal(rfc3339(EARLIEST), '0000-01-01T00:00:00.000Z');
  assert.equal(rfc3339(LATEST), '9999-12-31T23:59:59.999Z');
});

test('what is no such millisecond is refused with its value', () => {
  for (const value of [EARLIEST - 1, LATEST + 1, 0.5, Number.NaN, Number.POSITIVE_INFINITY])
    assert.throws(() => rfc3339(value), new RegExp(`^RangeError: ${value} is not`));
});
