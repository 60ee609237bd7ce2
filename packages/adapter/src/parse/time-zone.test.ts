import assert from 'node:assert/strict';
import { test } from 'node:test';
import { propertyParameters } from '@sidekit/test-kit';
import fc from 'fast-check';
import { FastJson } from './json-fast.ts';
import { type Format, parserFor } from './parser-for.ts';
import { bsdTime, isoTime } from './time.ts';
import { timeZone } from './time-zone.ts';

const ZONES = [
  ...['UTC', 'Europe/Berlin', 'America/New_York', 'America/St_Johns', 'Asia/Kathmandu'],
  ...['Australia/Lord_Howe', 'Pacific/Apia', 'Pacific/Chatham', 'Africa/Casablanca', '+05:30'],
];
const zones = new Map(ZONES.map((name) => [name, timeZone(name)]));

test('every instant is read back from its local time, unless its hour occurs twice', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...ZONES),
      fc.integer({ min: Date.UTC(1980, 0), max: Date.UTC(2060, 0) }),
      (name, instant) => {
        const zone = zones.get(name)!;
        const local = localTime(name, instant);
        const read = local - zone(local);
        // Of the two instants with this local time, the earlier one.
        assert.ok(read === instant || (read < instant && localTime(name, read) === local));
      },
    ),
    propertyParameters(2000),
  );
});

/** Returns the time that clocks of a zone show, as milliseconds of UTC. */
function localTime(timeZoneName: string, instant: number): number {
  const shown = new Intl.DateTimeFormat('sv-SE', {
    timeZone: timeZoneName,
    dateStyle: 'short',
    timeStyle: 'medium',
  }).format(instant);
  const milliseconds = ((instant % 1000) + 1000) % 1000;
  return Date.parse(`${shown.replace(' ', 'T')}Z`) + milliseconds;
}

test('an hour that occurs twice is the first, and one that is skipped continues the time before', () => {
  const berlin = timeZone('Europe/Berlin');
  assert.equal(isoTime('2026-10-25 02:30:00', berlin), '2026-10-25T00:30:00Z');
  assert.equal(isoTime('2026-10-25 03:00:00', berlin), '2026-10-25T02:00:00Z');
  assert.equal(isoTime('2026-03-29 02:30:00', berlin), '2026-03-29T01:30:00Z');
  assert.equal(isoTime('2026-03-29 01:59:59', berlin), '2026-03-29T00:59:59Z');
});

test('a zone or an offset in the text counts, not the option', () => {
  const zone = timeZone('Asia/Kathmandu');
  for (const text of [
    '2026-11-21T05:05:00Z',
    '2026-11-21 06:05:00+0100',
    '2026-11-21 05:05:00 UTC',
  ]) {
    assert.equal(isoTime(text, zone), '2026-11-21T05:05:00Z');
  }
});

test('the year of a time without one is chosen by the instant, not by the local date', () => {
  const zone = timeZone('Pacific/Kiritimati');
  const now = Date.UTC(2026, 11, 31, 12);
  assert.equal(bsdTime('Jan  1 01:59:00', zone, now), '2026-12-31T11:59:00Z');
  assert.equal(bsdTime('Jan  2 01:00:00', zone, now), '2027-01-01T11:00:00Z');
  assert.equal(bsdTime('Jan  3 12:00:00', zone, now), '2026-01-02T22:00:00Z');
});

const WINTER = '2026-01-15T11:00:00Z';
const LINES: readonly (readonly [Format, string])[] = [
  ['json', '{"time":"2026-01-15T12:00:00"}'],
  ['logfmt', 'ts="2026-01-15 12:00:00" level=info'],
  ['regex', '2026-01-15 12:00:00 boom'],
  ['nginx-error', '2026/01/15 12:00:00 [error] 1#1: boom'],
  ['syslog', '<13>2026-01-15T12:00:00 host app: boom'],
];

for (const [format, line] of LINES) {
  test(`a time without a zone in a line of ${format} is one of the zone that is given`, () => {
    const pattern = '^(?<time>\\S+ \\S+) (?<message>.*)$';
    const timeFields = ['time', 'ts'];
    const zone = timeZone('Europe/Berlin');
    const record = parserFor({ format, pattern, timeFields, zone })(line);
    assert.ok(typeof record !== 'string', String(record));
    assert.equal(record.time, WINTER);
  });
}

test('the fast path for JSON uses the zone too', () => {
  const parser = new FastJson(['time'], [], timeZone('Europe/Berlin'));
  const line = Buffer.from('{"time":"2026-01-15T12:00:00"}');
  const out = Buffer.alloc(256);
  const end = parser.write(line, 0, line.length, out, 0);
  assert.equal(out.toString('latin1', 0, end), `{"time":"${WINTER}"`);
});
