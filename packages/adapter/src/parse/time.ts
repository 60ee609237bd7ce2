/**
 * Times of logs, as RFC 3339 in UTC. A fraction keeps the digits it was written with (up to
 * nine); a time without a zone is one of the zone given, or UTC, which is what containers run in.
 */

import { civil, digitsAt, EARLIEST, MONTHS, utc } from './calendar.ts';
import { wordyTime } from './time-words.ts';
import { type TimeZone, UTC, ZONE, zoneOffset } from './time-zone.ts';

/** The zone may be followed by its name and the monotonic clock, as Go's Time.String writes them. */
const ISO = new RegExp(
  String.raw`^(\d{4})[-/](\d\d)[-/](\d\d)[T ](\d\d):(\d\d):(\d\d)(?:[.,](\d{1,9})\d*)?(?: ?(${ZONE})(?=$| )(?: [A-Z]{2,5}| [+-]\d\d{1,3})?(?: m=[+-][\d.]+)?)?$`,
  'i',
);

/**
 * RFC 3339 and its relatives: a space for the T, slashes in the date (nginx's error log), a
 * comma before the fraction (Python, log4j), a zone in hours (PostgreSQL), no zone.
 */
export function isoTime(text: string, zone: TimeZone = UTC): string | undefined {
  return usualIsoTime(text) ?? anyIsoTime(text, zone);
}

const T = 0x54;
const POINT = 0x2e;
const Z = 0x5a;

/** Reads the usual form, `2026-11-21T05:05:00.123Z`, without a regular expression. */
function usualIsoTime(text: string): string | undefined {
  const end = text.length - 1;
  if (end < 19 || end > 29 || text.charCodeAt(10) !== T || text.charCodeAt(end) !== Z) {
    return undefined;
  }
  if (text[4] !== '-' || text[7] !== '-' || text[13] !== ':' || text[16] !== ':') return undefined;
  if (end > 19) {
    if (end === 20 || text.charCodeAt(19) !== POINT) return undefined;
    if (Number.isNaN(digitsAt(text, 20, end - 20))) return undefined;
  }
  const year = digitsAt(text, 0, 4);
  const second = digitsAt(text, 17, 2);
  const at = civil(
    year,
    digitsAt(text, 5, 2) - 1,
    digitsAt(text, 8, 2),
    digitsAt(text, 11, 2),
    digitsAt(text, 14, 2),
    second,
  );
  if (at === undefined || !(at >= EARLIEST)) return undefined;
  // It is in its final form already.
  return second < 60 ? text : utc(at, text.slice(20, end));
}

function anyIsoTime(text: string, local: TimeZone): string | undefined {
  const match = ISO.exec(text);
  if (!match) return undefined;
  const [, year, month, day, hour, minute, second, fraction = '', zone] = match;
  const at = civil(+year!, +month! - 1, +day!, +hour!, +minute!, +second!);
  if (at === undefined) return undefined;
  return utc(at - (zone === undefined ? local(at) : zoneOffset(zone)), fraction);
}

/** Reads the time of the common log format: `10/Oct/2000:13:55:36 -0700`. */
export function commonLogTime(text: string): string | undefined {
  if (text.length !== 26 || text[2] !== '/' || text[6] !== '/' || text[11] !== ':')
    return undefined;
  if (text[14] !== ':' || text[17] !== ':' || text[20] !== ' ') return undefined;
  const month = MONTHS[text.slice(3, 6)];
  const sign = text[21] === '+' ? 1 : text[21] === '-' ? -1 : Number.NaN;
  const zone = sign * (digitsAt(text, 22, 2) * 60 + digitsAt(text, 24, 2)) * 60_000;
  if (month === undefined || Number.isNaN(zone)) return undefined;
  const at = civil(
    digitsAt(text, 7, 4),
    month,
    digitsAt(text, 0, 2),
    digitsAt(text, 12, 2),
    digitsAt(text, 15, 2),
    digitsAt(text, 18, 2),
  );
  return at === undefined ? undefined : utc(at - zone);
}

const BSD = new RegExp(
  String.raw`^([A-Z][a-z]{2}) ( ?\d|\d\d)(?: (\d{4}))? (\d\d):(\d\d):(\d\d)(?:[.,](\d{1,9}))?(?: ?(${ZONE}):?)?(?: (\d{4}))?$`,
);

/**
 * The time of RFC 3164 §4.1.2, `Oct 11 22:14:15`, which has no year: the one that puts it
 * nearest before `now`, with a day's grace for clocks that run ahead. Senders add a year after the
 * date or the time, a fraction, and a zone.
 */
export function bsdTime(
  text: string,
  zone: TimeZone = UTC,
  now: number = Date.now(),
): string | undefined {
  const match = BSD.exec(text);
  if (!match) return undefined;
  const [, name, day, yearOfDate, hour, minute, second, fraction = '', named, yearAtEnd] = match;
  const month = MONTHS[name!];
  if (month === undefined) return undefined;
  const offset = named === undefined ? zone : () => zoneOffset(named);
  const given = yearOfDate ?? yearAtEnd;
  if (given !== undefined) {
    const local = civil(+given, month, +day!, +hour!, +minute!, +second!);
    return local === undefined ? undefined : utc(local - offset(local), fraction);
  }
  const thisYear = new Date(now).getUTCFullYear();
  for (let year = thisYear + 1; year > thisYear - 9; year--) {
    // The years back to the last leap year are tried for 29 February.
    const local = civil(year, month, +day!, +hour!, +minute!, +second!);
    if (local === undefined) continue;
    const at = local - offset(local);
    if (at <= now + 86_400_000) return utc(at, fraction);
  }
  return undefined;
}

/**
 * Reads a number since the epoch: seconds, milliseconds, microseconds or nanoseconds by its size,
 * each from 1973 to 5138. A smaller number is a measurement, such as a temperature.
 */
export function epochTime(value: number): string | undefined {
  const size = value;
  if (!(size >= 1e8)) return undefined;
  if (size < 1e11) return fractional(value, 1, decimals(value));
  if (size < 1e14) return fractional(value, 1e3, '3');
  if (size < 1e17) return fractional(value, 1e6, '6');
  // A double holds nanoseconds of our days to within 256: microseconds are what is known.
  return size < 1e20 ? fractional(Math.trunc(value / 1000), 1e6, '6') : undefined;
}

function fractional(value: number, unit: number, digits: string): string | undefined {
  const seconds = Math.floor(value / unit);
  const places = Number(digits);
  if (places === 0) return utc(seconds * 1000);
  const rest = Math.round(((value - seconds * unit) / unit) * 10 ** places);
  return rest >= 10 ** places
    ? utc((seconds + 1) * 1000, '0'.repeat(places))
    : utc(seconds * 1000, String(rest).padStart(places, '0'));
}

/** How many decimals of a number of seconds are kept: as written, up to the microsecond. */
function decimals(value: number): string {
  if (Number.isInteger(value)) return '0';
  const written = String(value);
  const point = written.indexOf('.');
  return String(Math.min(6, point === -1 ? 0 : written.length - point - 1));
}

/** Any time a log's field may hold: RFC 3339 and relatives, those with a month's name, or a number. */
export function anyTime(value: unknown, zone: TimeZone = UTC): string | undefined {
  if (typeof value === 'number') return epochTime(value);
  if (typeof value !== 'string') return undefined;
  if (/^-?\d{9,20}(\.\d+)?$/.test(value)) return epochTime(Number(value));
  return isoTime(value, zone) ?? commonLogTime(value) ?? wordyTime(value, zone);
}
