/**
 * Civil dates and UTC text by arithmetic, without `Date` and without a cache that only helps lines
 * of one second (algorithms: https://howardhinnant.github.io/date_algorithms.html).
 */

const DAY = 86_400_000;
const MONTH_DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] as const;

export const MONTHS: Readonly<Record<string, number>> = {
  Jan: 0,
  Feb: 1,
  Mar: 2,
  Apr: 3,
  May: 4,
  Jun: 5,
  Jul: 6,
  Aug: 7,
  Sep: 8,
  Oct: 9,
  Nov: 10,
  Dec: 11,
};

/** 0001-01-01 to 9999-12-31: the years that RFC 3339 can write. */
export const EARLIEST = -62_135_596_800_000;
const LATEST = 253_402_300_799_999;

/** Writes whole seconds since the epoch, and a fraction's digits, as RFC 3339. */
export function utc(milliseconds: number, fraction = ''): string | undefined {
  if (!(milliseconds >= EARLIEST && milliseconds <= LATEST)) return undefined;
  const whole = dateTime(milliseconds);
  return fraction === '' ? `${whole}Z` : `${whole}.${fraction}Z`;
}

/** Days from 1970-01-01 to a date of the proleptic Gregorian calendar; months from 0. */
function daysFromCivil(year: number, month: number, day: number): number {
  const y = month < 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const yearOfEra = y - era * 400;
  const dayOfYear = Math.floor((153 * ((month + 10) % 12) + 2) / 5) + day - 1;
  const leaps = Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100);
  return era * 146_097 + yearOfEra * 365 + leaps + dayOfYear - 719_468;
}

/**
 * Converts a date and time of UTC to milliseconds since the epoch; undefined if a part is out of
 * its range. A leap second is the first second of the next minute.
 */
export function civil(
  year: number,
  month: number,
  day: number,
  hour: number,
  minute: number,
  second: number,
): number | undefined {
  // Comparisons with NaN are false.
  if (!(month >= 0 && month <= 11 && hour <= 23 && minute <= 59 && second <= 60)) return undefined;
  const leap = month === 1 && year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  if (!(day >= 1 && day <= MONTH_DAYS[month]! + (leap ? 1 : 0))) return undefined;
  const minutes = (daysFromCivil(year, month, day) * 24 + hour) * 60 + minute;
  return (minutes * 60 + second) * 1000;
}

// Lines of a log are mostly of one day.
let lastDay = 0;
let date = '1970-01-01';
const TWO = Array.from({ length: 60 }, (_, i) => String(i).padStart(2, '0'));

/** Writes whole seconds from year 1 to 9999, in milliseconds since the epoch, as `YYYY-MM-DDTHH:MM:SS`. */
export function dateTime(milliseconds: number): string {
  const day = Math.floor(milliseconds / DAY);
  if (day !== lastDay) {
    date = new Date(day * DAY).toISOString().slice(0, 10);
    lastDay = day;
  }
  const seconds = (milliseconds - day * DAY) / 1000;
  const hour = Math.floor(seconds / 3600);
  const minute = Math.floor(seconds / 60) - hour * 60;
  const second = Math.floor(seconds) - (hour * 60 + minute) * 60;
  return `${date}T${TWO[hour]}:${TWO[minute]}:${TWO[second]}`;
}

/** Reads `count` decimal digits at `at`; NaN if one of them is none. */
export function digitsAt(text: string, at: number, count: number): number {
  let value = 0;
  for (let i = at; i < at + count; i++) {
    const digit = text.charCodeAt(i) - 0x30;
    if (!(digit >= 0 && digit <= 9)) return Number.NaN;
    value = value * 10 + digit;
  }
  return value;
}
