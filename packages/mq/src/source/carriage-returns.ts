const CARRIAGE_RETURN = 0x0d;
const LINE_FEED = 0x0a;

/**
 * Drops the carriage return before each line feed between two offsets, in place: records of
 * Windows programs and of HTTP clients end with both. @returns the new end.
 */
export function dropCarriageReturns(bytes: Buffer, start: number, end: number): number {
  let found = nextPair(bytes, start, end);
  if (found === -1) return end;
  let to = found;
  while (found !== -1) {
    const from = found + 1;
    found = nextPair(bytes, from, end);
    const until = found === -1 ? end : found;
    bytes.copyWithin(to, from, until);
    to += until - from;
  }
  return to;
}

/** Finds a carriage return that a line feed follows; −1 if there is none before `end`. */
function nextPair(bytes: Buffer, start: number, end: number): number {
  for (let at = start; ; at++) {
    at = bytes.indexOf(CARRIAGE_RETURN, at);
    if (at === -1 || at + 1 >= end) return -1;
    if (bytes[at + 1] === LINE_FEED) return at;
  }
}

/** Measures the longest line, without its line feed and a carriage return before it, in bytes. */
export function longestLine(bytes: Buffer): number {
  let longest = 0;
  for (let start = 0; start < bytes.length; ) {
    const feed = bytes.indexOf(LINE_FEED, start);
    const end = feed === -1 ? bytes.length : feed;
    const pair = feed > start && bytes[feed - 1] === CARRIAGE_RETURN;
    longest = Math.max(longest, end - start - (pair ? 1 : 0));
    start = end + 1;
  }
  return longest;
}
