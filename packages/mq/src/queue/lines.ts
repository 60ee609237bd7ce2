const LINE_FEED = 0x0a;

/**
 * Counts the lines between two offsets, the last byte being a line feed, and finds the longest.
 * Fills `ends` with the offset of each line feed, and stops when it is full.
 */
export function measureLines(
  bytes: Buffer,
  start: number,
  end: number,
  ends: Uint32Array,
): { readonly count: number; readonly longest: number } {
  let count = 0;
  let longest = 0;
  // memchr(3), fast from the first block on: a loop over bytes is compiled only after many.
  for (let at = start; at < end && count < ends.length; ) {
    const feed = bytes.indexOf(LINE_FEED, at);
    if (feed - at > longest) longest = feed - at;
    ends[count++] = feed;
    at = feed + 1;
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
