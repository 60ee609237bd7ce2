const LINE_FEED = 0x0a;
const FOUR_LINE_FEEDS = 0x0a0a0a0a;
const HIGH_BITS = 0x80808080;

/**
 * Counts the lines between two offsets, the last byte being a line feed, and finds the longest.
 * Fills `ends` with the offset of each line feed, and stops when it is full. `bytes` begins where its memory does.
 *
 * Tests four bytes at a time, and sixteen by one branch while they have none.
 */
export function measureLines(
  bytes: Buffer<ArrayBuffer>,
  start: number,
  end: number,
  ends: Uint32Array,
): { readonly count: number; readonly longest: number } {
  const words = new Int32Array(bytes.buffer, 0, bytes.buffer.byteLength >> 2);
  const first = (start + 3) >> 2;
  const last = end >> 2;
  let count = addFeeds(bytes, start, Math.min(end, 4 * first), ends, 0);
  for (let i = first; i < last; ) {
    const stop = Math.min(i + 4, last);
    if (
      stop - i === 4 &&
      ((feedBits(words[i]!) |
        feedBits(words[i + 1]!) |
        feedBits(words[i + 2]!) |
        feedBits(words[i + 3]!)) &
        HIGH_BITS) ===
        0
    ) {
      i = stop;
      continue;
    }
    for (; i < stop; i++) {
      if ((feedBits(words[i]!) & HIGH_BITS) !== 0)
        count = addFeeds(bytes, 4 * i, 4 * i + 4, ends, count);
    }
    if (count === ends.length) break;
  }
  count = addFeeds(bytes, Math.max(4 * first, 4 * last), end, ends, count);
  let longest = 0;
  let from = start;
  for (let i = 0; i < count; i++) {
    const feed = ends[i]!;
    if (feed - from > longest) longest = feed - from;
    from = feed + 1;
  }
  return { count, longest };
}

/**
 * Has one of HIGH_BITS set if a byte of the word is a line feed: a word has a zero byte if its low
 * bits borrow from the high ones (the classic test of strlen(3)).
 */
function feedBits(word: number): number {
  const zero = word ^ FOUR_LINE_FEEDS;
  return (zero - 0x01010101) & ~zero;
}

/** Adds the offsets of line feeds to `ends` until it is full. @returns how many it has then. */
function addFeeds(
  bytes: Buffer,
  start: number,
  end: number,
  ends: Uint32Array,
  already: number,
): number {
  let count = already;
  for (let i = start; i < end && count < ends.length; i++)
    if (bytes[i] === LINE_FEED) ends[count++] = i;
  return count;
}

/** Counts the line feeds between two offsets. */
export function countLines(lines: Buffer, start: number, end: number): number {
  let count = 0;
  for (let i = start; i < end; i++) if (lines[i] === LINE_FEED) count++;
  return count;
}

/** Returns the offset after `count` lines. */
export function skipLines(lines: Buffer, count: number, start = 0): number {
  let at = start;
  for (let i = 0; i < count; i++) at = lines.indexOf(LINE_FEED, at) + 1;
  return at;
}
