const LINE_FEED = 0x0a;
const FOUR_LINE_FEEDS = 0x0a0a0a0a;

/**
 * Counts the lines between two offsets, the last byte being a line feed, and finds the longest.
 * Fills `ends` with the offset of each line feed, and stops when it is full. `bytes` begins where its memory does.
 *
 * Tests four bytes at a time: a word has a zero byte if its low bits borrow from the high ones (the
 * classic test of strlen(3)).
 */
export function measureLines(
  bytes: Buffer<ArrayBuffer>,
  start: number,
  end: number,
  ends: Uint32Array,
): { readonly count: number; readonly longest: number } {
  const words = new Int32Array(bytes.buffer, 0, bytes.buffer.byteLength >> 2);
  const wholeEnd = end & ~3;
  const limit = ends.length;
  let count = 0;
  let at = start;
  const until = (stop: number) => {
    for (; at < stop && count < limit; at++) if (bytes[at] === LINE_FEED) ends[count++] = at;
  };
  until(Math.min(end, (start + 3) & ~3));
  while (at < wholeEnd && count < limit) {
    const word = words[at >> 2]! ^ FOUR_LINE_FEEDS;
    if (((word - 0x01010101) & ~word & 0x80808080) === 0) at += 4;
    else until(at + 4);
  }
  until(end);
  let longest = 0;
  let from = start;
  for (let i = 0; i < count; i++) {
    const feed = ends[i]!;
    if (feed - from > longest) longest = feed - from;
    from = feed + 1;
  }
  return { count, longest };
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
