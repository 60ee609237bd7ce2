import assert from 'node:assert/strict';
import { test } from 'node:test';
import { propertyParameters } from '@sidekit/test-kit';
import fc from 'fast-check';
import { longestLine, readLine, writeLine } from '../input/spool/spool-line.ts';
import { one } from '../testing/mostly-usual.ts';
import { utc } from './calendar.ts';
import { syslogParser } from './syslog.ts';
import { FastSyslog } from './syslog-fast.ts';

const AT = 1_795_000_000_123;

/** Converts a line by the fast parser; undefined if it does not take it. */
function fast(line: Buffer, isSpool: boolean, parser = new FastSyslog(isSpool)) {
  const out = Buffer.alloc(line.length + parser.overhead);
  const end = parser.write(line, 0, line.length, out, 0);
  return end === -1 ? undefined : `${out.toString('utf8', 0, end)}}`;
}

function spooled(message: Buffer): Buffer {
  const out = Buffer.alloc(longestLine(message.length));
  return out.subarray(0, writeLine(Buffer.from(`${AT} `), message, false, out, 0) - 1);
}

/** Converts a line by the other parser. */
function slow(line: Buffer, isSpool: boolean): string {
  const text = line.toString('utf8');
  const received = isSpool ? readLine(text) : { message: text, at: Number.NaN };
  const record = syslogParser()(received.message);
  if (typeof record === 'string') return record;
  if (record.time === undefined && isSpool) record.time = utc(AT - 123, '123');
  return JSON.stringify(record);
}

const priority = one('<34>', '<0>', '<191>', '<192>', '<007>', '<0034>', '<>', '', '<3');
const text = one(
  ...['hello', '', 'say "x"', 'a\\b', 'tab\there', 'two\nlines', 'nul\0', '\ufeffmarked', 'ü'],
  ...['\\!', '\\', '\x1b[0m', 'x\u2028', '{"a":"b\\n"}', 'end\\', ' '],
);
const word = (usual: string, longest: number) =>
  one(usual, '-', '--', 'a"b', 'ü', '\u00a0', 'x:y', '[', 'y'.repeat(longest + 1), '');
const newer = fc
  .tuple(
    priority,
    one('1', '2', '11'),
    one(
      ...['2026-11-21T10:00:00.123Z', '-', '2026-11-21T10:00:00+01:00', '2026-11-21T10:00:60Z'],
      ...['2026-11-21T10:00:59Z', '2026-11-21T10:00:61.1Z', '2026-11-21T10:00:1.00Z'],
      ...['2026-11-21T10:00:00.1234567891Z', '2026-11-21T10:00:00.Z', '2026-11-21T10:00:00,1Z'],
      ...['2026-11-21t10:00:00z', '2026-13-21T10:00:00Z', '2026-11-21T10:00:00', '-x'],
    ),
    word('host', 255),
    word('app', 48),
    word('17', 128),
    word('ID47', 32),
    one('-', '[a b="c"]', '-x', ''),
    text,
  )
  .map(([pri, version, ...words]) => `${pri}${version} ${words.join(' ')}`);
const older = fc
  .tuple(
    priority,
    one(
      ...['Nov 21 10:00:00', 'Nov  1 10:00:00', 'Dec 31 23:59:59', 'Feb 29 00:00:00'],
      ...['Nov 31 10:00:00', 'Nov 21 2026 10:00:00', '2026-11-21 10:00:00'],
      ...['Nov 1 10:00:00', '2026-11-21T10:00:00Z'],
    ),
    one(
      'host ',
      '',
      '2026 ',
      '2026 host ',
      '1999',
      '.123 host ',
      'UTC host ',
      'CEST ',
      '+02:00 host ',
      'UTCX ',
      '::1 ',
      'a[b ',
      'x: ',
      'x]y ',
      'h'.repeat(256),
    ),
    one('app', '', 'a b', 'a[b', 'ü', 'z'.repeat(65)),
    one('[17]', '', '[a:b]', '[a b]', '[]', '[ü]', '[17'),
    one(': ', ':', ' ', '', ':  '),
    text,
  )
  .map(([pri, time, ...rest]) => `${pri}${time} ${rest.join('')}`);

test('what the fast parser takes, the other parser reads to the same bytes', () => {
  let taken = 0;
  const parsers = [new FastSyslog(false), new FastSyslog(true)] as const;
  fc.assert(
    fc.property(fc.oneof(newer, older), fc.boolean(), (given, isSpool) => {
      const whole = given.toWellFormed();
      const line = isSpool
        ? spooled(Buffer.from(whole))
        : Buffer.from(whole.replace(/[\n\0]/g, ' '));
      const quick = fast(line, isSpool, parsers[isSpool ? 1 : 0]);
      if (quick === undefined) return;
      taken++;
      assert.equal(quick, slow(line, isSpool));
    }),
    propertyParameters(5000),
  );
  assert.ok(taken > 500, `${taken} lines were plain`);
});

for (const [what, line] of [
  ['of RFC 5424', '<134>1 2026-11-21T10:00:00.123Z shop api 17 - - said "hello" twice'],
  ['of RFC 5424 without a time', '<134>1 - shop api - - - hello'],
  ['of RFC 3164', '<134>Nov 21 10:00:00 shop api[17]: hello'],
  ['of syslog(3)', '<134>Nov 21 10:00:00 api: line one\nline two\t\\'],
] as const) {
  test(`the usual message ${what} is a plain one`, () => {
    const message = spooled(Buffer.from(line));
    assert.equal(fast(message, true), slow(message, true));
  });
}

test('a message that was cut, a damaged line and one of any length are left to the other parser', () => {
  assert.equal(fast(Buffer.from(`${AT} <13>Nov 21 10:00:00 a: x\\!`), true), undefined);
  assert.equal(fast(Buffer.from('<13>Nov 21 10:00:00 a: x'), true), undefined);
  assert.equal(fast(Buffer.from(`<13>Nov 21 10:00:00 a: ${'"'.repeat(9000)}`), false), undefined);
});

test('a line that needs all of the room stays within it', () => {
  const head = '<191>1 2026-11-21T10:00:00.123456789Z h a p m - ';
  const line = Buffer.from(head + '"'.repeat(8 * 1024 - head.length));
  assert.equal(fast(line, false), slow(line, false));
});
