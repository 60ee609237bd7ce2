/** Objects and lists in a JSON line, the line's own object included, may be nested this deep. */
export const DEEPEST = 32;

/**
 * Replaces what is nested deeper than `DEEPEST` by its JSON as a string, so that nothing that
 * walks a record can run out of stack. Text that is not JSON is returned in some form that is
 * not JSON either.
 */
export function withBoundedDepth(line: string): string {
  if (!mayBeDeep(line)) return line;
  let text = '';
  let copied = 0;
  let depth = 0;
  let deepFrom = -1;
  for (let i = 0; i < line.length; i++) {
    switch (line.charCodeAt(i)) {
      case 0x22:
        i = stringEnd(line, i);
        break;
      case 0x5b:
      case 0x7b:
        if (++depth === DEEPEST + 1) deepFrom = i;
        break;
      case 0x5d:
      case 0x7d:
        if (depth-- !== DEEPEST + 1) break;
        text += line.slice(copied, deepFrom) + JSON.stringify(line.slice(deepFrom, i + 1));
        copied = i + 1;
        break;
      default:
    }
  }
  // What is not closed is not JSON: without its deep end a parser finds that out sooner.
  if (depth > DEEPEST) return text + line.slice(copied, deepFrom);
  return copied === 0 ? line : text + line.slice(copied);
}

/** Whether a line has more opening brackets than levels are allowed. */
function mayBeDeep(line: string): boolean {
  let count = 0;
  for (const bracket of ['{', '[']) {
    for (let at = line.indexOf(bracket); at !== -1; at = line.indexOf(bracket, at + 1)) {
      if (++count > DEEPEST) return true;
    }
  }
  return false;
}

/** Returns the position of the quote that closes a string, or of the last character. */
function stringEnd(line: string, from: number): number {
  for (let i = line.indexOf('"', from + 1); i !== -1; i = line.indexOf('"', i + 1)) {
    let backslashes = 0;
    while (line[i - 1 - backslashes] === '\\') backslashes++;
    if (backslashes % 2 === 0) return i;
  }
  return line.length;
}
