/** 0000-01-01 and the last millisecond of 9999: the years that RFC 3339 can write. */
const EARLIEST = -62_167_219_200_000;
const LATEST = 253_402_300_799_999;
const DAY = 86_400_000;

/**
 * Milliseconds since the epoch as a time of RFC 3339 in UTC: `2026-11-21T06:22:41.007Z`, the text
 * that `Date.prototype.toISOString` gives. A Date reads the name of the local time zone even
 * for that, and with it loads 0.8 MiB of ICU's data into a process that needs none.
 * @param milliseconds a whole number within the years 0 to 9999
 * @throws RangeError for any other
 */
export function rfc3339(milliseconds: number): string {
  if (!(milliseconds >= EARLIEST && milliseconds <= LATEST) || !Number.isInteger(milliseconds)) {
    throw new RangeError(`${milliseconds} is not a whole millisecond of the years 0 to 9999`);
  }
  const day = Math.floor(milliseconds / DAY);
  const rest = milliseconds - day * DAY;
  const hour = Math.floor(rest / 3_600_000);
  const minute = Math.floor(rest / 60_000) % 60;
  const second = Math.floor(rest / 1000) % 60;
  return `${date(day)}T${two(hour)}:${two(minute)}:${two(second)}.${three(rest % 1000)}Z`;
}

/**
 * The civil date of a day since the epoch. Years begin in March, so that the day a leap year adds
 * is their last, and months follow a line (H. Hinnant, chrono-compatible low-level date algorithms).
 */
function date(sinceEpoch: number): string {
  const days = sinceEpoch + 719_468; // since 0000-03-01
  const era = Math.floor(days / 146_097); // of 400 years
  const ofEra = days - era * 146_097;
  const yearOfEra = Math.floor(
    (ofEra - Math.floor(ofEra / 1460) + Math.floor(ofEra / 36_524) - Math.floor(ofEra / 146_096)) /
      365,
  );
  const ofYear =
    ofEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const fromMarch = Math.floor((5 * ofYear + 2) / 153);
  const day = ofYear - Math.floor((153 * fromMarch + 2) / 5) + 1;
  const month = fromMarch < 10 ? fromMarch + 3 : fromMarch - 9;
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
  return `${String(year).padStart(4, '0')}-${two(month)}-${two(day)}`;
}

function two(n: number): string {
  return n < 10 ? `0${n}` : `${n}`;
}

function three(n: number): string {
  return n < 100 ? `0${two(n)}` : `${n}`;
}
