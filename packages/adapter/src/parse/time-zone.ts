/** Returns how far a zone is ahead of UTC at a local time, both in milliseconds. */
export type TimeZone = (local: number) => number;

export const UTC: TimeZone = () => 0;

const DAY = 86_400_000;
/** Since 1972 clocks change at whole quarters of an hour only, in local time too. */
const QUARTER = 900_000;
/** A limit for logs whose times are spread over decades. */
const MOST_KNOWN = 4096;

/**
 * Creates the clock of a zone of the IANA time zone database (or a fixed one, as `+02:00`). A
 * local time that occurs twice is the earlier one; one that is skipped has the offset from before
 * the change, as in RFC 5545 §3.3.5.
 * @throws RangeError if the zone is unknown.
 */
export function timeZone(name: string): TimeZone {
  // First: the data of Intl are some 5 MiB of resident memory.
  if (/^(?:Etc\/)?UTC$/i.test(name)) return UTC;
  const offsetAt = offsetsOf(name);
  const known = new Map<number, number>();
  return (local) => {
    const quarter = Math.floor(local / QUARTER);
    let offset = known.get(quarter);
    if (offset === undefined) {
      offset = offsetOf(quarter * QUARTER, offsetAt);
      if (known.size >= MOST_KNOWN) known.clear();
      known.set(quarter, offset);
    }
    return offset;
  };
}

function offsetOf(local: number, offsetAt: (instant: number) => number): number {
  const before = offsetAt(local - DAY);
  const after = offsetAt(local + DAY);
  if (before === after || offsetAt(local - before) === before) return before;
  return offsetAt(local - after) === after ? after : before;
}

const OFFSET = /GMT(?:([+-])(\d\d):(\d\d)(?::(\d\d))?)?$/;

function offsetsOf(name: string): (instant: number) => number {
  const format = new Intl.DateTimeFormat('en-US', { timeZone: name, timeZoneName: 'longOffset' });
  return (instant) => {
    const [, sign, hours = 0, minutes = 0, seconds = 0] = OFFSET.exec(format.format(instant)) ?? [];
    const size = ((+hours * 60 + +minutes) * 60 + +seconds) * 1000;
    return sign === '-' ? -size : size;
  };
}

/**
 * Hours ahead of UTC of the names that have one meaning: those of RFC 5322 §4.3, and Europe's.
 * Others are not unique: IST is a time of India, of Ireland and of Israel.
 */
const NAMED: Readonly<Record<string, number>> = {
  ...{ Z: 0, UTC: 0, UT: 0, GMT: 0, EST: -5, EDT: -4, CST: -6, CDT: -5, MST: -7, MDT: -6 },
  ...{ PST: -8, PDT: -7, WET: 0, WEST: 1, CET: 1, CEST: 2, EET: 2, EEST: 3 },
};

/** The pattern of a zone that `zoneOffset` reads: a name, or `+02`, `+0200`, `+02:00`. */
export const ZONE: string = `(?:${Object.keys(NAMED).join('|')}|[+-]\\d\\d(?::?\\d\\d)?)`;

/** Returns the milliseconds by which a zone is ahead of UTC. */
export function zoneOffset(zone: string): number {
  const named = NAMED[zone.toUpperCase()];
  if (named !== undefined) return named * 3_600_000;
  const digits = zone.replace(':', '');
  const minutes = Number(digits.slice(1, 3)) * 60 + Number(digits.slice(3, 5));
  return (digits[0] === '-' ? -1 : 1) * minutes * 60_000;
}
