/** Counts the lines between two offsets, the last byte being a line feed, and finds the longest. */
export function measureLines(
  bytes: Uint8Array,
  start: number,
  end: number,
): { readonly count: number; readonly longest: number } {
  let count = 0;
  let longest = 0;
  let lineStart = start;
  for (let i = start; i < end; i++) {
    if (bytes[i] !== 0x0a) continue;
    count++;
    const length = i - lineStart;
    if (length > longest) longest = length;
    lineStart = i + 1;
  }
  return { count, longest };
}
