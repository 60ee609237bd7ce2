/** The largest times that receivers can read, in nanoseconds since the epoch. */
export const UINT64_MAX = 2n ** 64n - 1n;
export const INT64_MAX = 2n ** 63n - 1n;

/**
 * Converts an RFC 3339 time in UTC to nanoseconds since the epoch.
 * @param largest the largest number that the receiver can read.
 * @returns decimal digits; undefined if it is no time from 1970 to `largest`.
 */
export function nanoseconds(time: unknown, largest: bigint): string | undefined {
  if (typeof time !== 'string') return undefined;
  const milliseconds = Date.parse(time.replace(/\.\d+/, ''));
  if (!(milliseconds >= 0)) return undefined;
  const fraction = /\.(\d{1,9})/.exec(time)?.[1] ?? '';
  const text = `${milliseconds / 1000}${fraction.padEnd(9, '0')}`.replace(/^0+(?=\d)/, '');
  // 18 digits are always below 2^63.
  return text.length > 18 && BigInt(text) > largest ? undefined : text;
}
