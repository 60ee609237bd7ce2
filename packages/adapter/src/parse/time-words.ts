import { civil, MONTHS, utc } from './calendar.ts';
import { type TimeZone, ZONE, zoneOffset } from './time-zone.ts';

const CLOCK = '(\\d\\d):(\\d\\d):(\\d\\d)(?:[.,](\\d{1,9})\\d*)?';

/** `Thu, 26 Nov 2026 10:00:00 GMT`, also with dashes and a year of two digits. */
const DAY_FIRST = new RegExp(
  `^(?:[A-Z][a-z]{2,8},? )?(\\d{1,2})[ -]([A-Z][a-z]{2})[ -](\\d{4}|\\d\\d) ${CLOCK}(?: (${ZONE}))?$`,
);
/** `Thu Nov 26 10:00:00.123456 UTC 2026`, also in brackets. */
const MONTH_FIRST = new RegExp(
  `^\\[?(?:[A-Z][a-z]{2} )?([A-Z][a-z]{2}) ([ \\d]\\d|\\d) ${CLOCK}(?: (${ZONE}))? (\\d{4})\\]?$`,
);

/**
 * Times with the name of a month: RFC 1123, 2822 and 850 (HTTP, mail), ctime(3), date(1), Go's
 * layouts of these, and Apache's error log. Years of two digits are those of RFC 6265 §5.1.1: 70 is 1970, 69 is 2069.
 */
export function wordyTime(text: string, zone: TimeZone): string | undefined {
  // A quick look: nearly all fields that are no time are refused here.
  if (text.length < 18 || text.length > 48) return undefined;
  const dayFirst = DAY_FIRST.exec(text);
  if (dayFirst) {
    const [, day, month, year, ...clock] = dayFirst;
    return timeOf(fullYear(year!), month!, day!, clock, clock[4], zone);
  }
  const monthFirst = MONTH_FIRST.exec(text);
  if (!monthFirst) return undefined;
  const [, month, day, ...clock] = monthFirst;
  return timeOf(Number(clock[5]), month!, day!, clock, clock[4], zone);
}

function timeOf(
  year: number,
  monthName: string,
  day: string,
  [hour, minute, second, fraction = '']: readonly (string | undefined)[],
  offset: string | undefined,
  zone: TimeZone,
): string | undefined {
  const month = MONTHS[monthName];
  if (month === undefined) return undefined;
  const at = civil(year, month, Number(day), Number(hour), Number(minute), Number(second));
  if (at === undefined) return undefined;
  return utc(at - (offset === undefined ? zone(at) : zoneOffset(offset)), fraction);
}

function fullYear(digits: string): number {
  const year = Number(digits);
  if (digits.length === 4) return year;
  return year + (year < 70 ? 2000 : 1900);
}
