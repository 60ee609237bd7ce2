import assert from 'node:assert/strict';
import { test } from 'node:test';
import { propertyParameters } from '@sidekit/test-kit';
import fc from 'fast-check';
import { FastAccess } from './access-fast.ts';
import { anyTime, bsdTime, commonLogTime, isoTime } from './time.ts';
import { timeZone } from './time-zone.ts';

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const two = (n: number) => String(n).padStart(2, '0');
const date = fc.date({
  min: new Date('0002-01-01T00:00:00Z'),
  max: new Date('9998-12-31T23:59:59Z'),
  noInvalidDate: true,
});
const zone = fc.tuple(
  fc.constantFrom('+', '-'),
  fc.integer({ min: 0, max: 14 }),
  fc.constantFrom(0, 30, 45),
);

/** Writes a date in the common log format, in a zone. */
function common(at: Date, [sign, hours, minutes]: readonly [string, number, number]): string {
  const offset = (sign === '-' ? -1 : 1) * (hours * 60 + minutes) * 60_000;
  const local = new Date(at.getTime() + offset);
  const day = `${two(local.getUTCDate())}/${MONTHS[local.getUTCMonth()]}/${String(local.getUTCFullYear()).padStart(4, '0')}`;
  return `${day}:${local.toISOString().slice(11, 19)} ${sign}${two(hours)}${two(minutes)}`;
}

test('times are those of Date, in every format', () => {
  fc.assert(
    fc.property(date, zone, (at, [sign, hours, minutes]) => {
      const text = at.toISOString();
      const whole = `${text.slice(0, 19)}Z`;
      assert.equal(isoTime(text), text);
      assert.equal(isoTime(whole), whole);
      assert.equal(isoTime(text.replace('T', ' ').replace('.', ',')), text);
      assert.equal(commonLogTime(common(at, [sign, hours, minutes])), whole);
      const offset = (sign === '-' ? -1 : 1) * (hours * 60 + minutes) * 60_000;
      const local = new Date(at.getTime() + offset).toISOString().slice(0, -1);
      assert.equal(isoTime(`${local}${sign}${two(hours)}:${two(minutes)}`), text);
    }),
    propertyParameters(2000),
  );
});

test('lines of an access log have the same times whatever the lines before', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.integer({ min: 0, max: 100_000 }), zone), { maxLength: 20 }),
      date,
      (lines, start) => {
        const parser = new FastAccess('common');
        const out = Buffer.alloc(4096);
        for (const [seconds, offset] of lines) {
          const at = new Date(Math.trunc(start.getTime() / 1000 + seconds) * 1000);
          const stamp = common(at, offset);
          const line = Buffer.from(`10.0.0.1 - - [${stamp}] "GET / HTTP/1.1" 200 1`);
          const end = parser.write(line, 0, line.length, out, 0);
          const { time } = JSON.parse(`${out.toString('latin1', 0, end)}}`);
          assert.equal(time, `${at.toISOString().slice(0, 19)}Z`);
        }
      },
    ),
    propertyParameters(500),
  );
});

for (const text of [
  '2026-02-29T00:00:00Z',
  '2026-13-01T00:00:00Z',
  '2026-00-01T00:00:00Z',
  '2026-01-32T00:00:00Z',
  '2026-01-01T24:00:00Z',
  '2026-01-01T00:60:00Z',
  '2026-01-01T00:00:61Z',
  '2026-01-01T00:00:00.Z',
  '2026-01-01T00:00:00.1x2Z',
  '30/Feb/2026:00:00:00 +0000',
  '10/Okt/2026:00:00:00 +0000',
  '10/Oct/2026:00:00:00 00000',
]) {
  test(`${text} is not a time`, () => {
    assert.equal(anyTime(text), undefined);
  });
}

test('a leap second is the next second, and a leap day is in the year that has one', () => {
  assert.equal(isoTime('2016-12-31T23:59:60Z'), '2017-01-01T00:00:00Z');
  assert.equal(isoTime('2016-12-31T23:59:60.5Z'), '2017-01-01T00:00:00.5Z');
  assert.equal(bsdTime('Feb 29 12:00:00', undefined, Date.UTC(2026, 5, 1)), '2024-02-29T12:00:00Z');
});

test('times with the names of months, as HTTP, Go, Apache and date(1) write them, are read', () => {
  for (const text of [
    'Thu, 26 Nov 2026 10:05:09 GMT',
    'Thu, 26 Nov 2026 12:05:09 +0200',
    '26 Nov 2026 10:05:09 UTC',
    'Thursday, 26-Nov-26 10:05:09 GMT',
    'Thu Nov 26 10:05:09 2026',
    '[Thu Nov 26 10:05:09 2026]',
    'Thu Nov 26 10:05:09 UTC 2026',
    'Thu Nov 26 02:05:09 -0800 2026',
    '2026-11-26 10:05:09 +0000 UTC',
    '2026-11-26 11:05:09 +0100 CET m=+0.000000001',
    '2026-11-26 13:35:09 +0330 +0330',
    '2026-11-26 10:05:09+00',
    '2026-11-26 11:05:09 CET',
    'Thu, 26 Nov 2026 05:05:09 EST',
    '2026-11-26 05:05:09-05',
    '2026/11/26 10:05:09',
  ]) {
    assert.equal(anyTime(text), '2026-11-26T10:05:09Z', text);
  }
  assert.equal(anyTime('Thu Nov  5 10:05:09 2026'), '2026-11-05T10:05:09Z');
  assert.equal(anyTime('[Fri Sep 09 10:42:29.902022 2011]'), '2011-09-09T10:42:29.902022Z');
  assert.equal(anyTime('2026-11-26 10:05:09.123+00'), '2026-11-26T10:05:09.123Z');
  const berlin = timeZone('Europe/Berlin');
  assert.equal(anyTime('Thu Nov 26 11:05:09 2026', berlin), '2026-11-26T10:05:09Z');
  assert.equal(anyTime('Thu, 26 Nov 2026 10:05:09 GMT', berlin), '2026-11-26T10:05:09Z');
});

test('what only resembles a time with words is none', () => {
  for (const text of [
    'Thu, 31 Nov 2026 10:05:09 GMT',
    'Thu, 26 Foo 2026 10:05:09 GMT',
    'Thu, 26 Nov 2026 25:05:09 GMT',
    'Thu, 26 Nov 2026 10:05:09 IST',
    '2026-11-26 10:05:09 IST',
    'Thu Nov 26 10:05:09',
    'on Thu Nov 26 10:05:09 2026',
    `Thu Nov 26 10:05:09 ${' '.repeat(40)}2026`,
    '2026-11-26 10:05:09+0',
  ]) {
    assert.equal(anyTime(text), undefined, text);
  }
});
