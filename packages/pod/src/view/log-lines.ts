/** Longer lines are cut, in characters: the page shows logs, it does not store them. */
const MAX_LINE = 16_384;

/** Splits text into lines of at most `MAX_LINE` characters; the rest of a longer one is dropped. */
export function splitLines(onLine: (line: string) => void): (chunk: string) => void {
  let rest = '';
  let cut = false;
  return (chunk) => {
    const parts = chunk.split('\n');
    for (const [i, part] of parts.entries()) {
      if (!cut) {
        rest += part.slice(0, MAX_LINE + 1 - rest.length);
        cut = rest.length > MAX_LINE;
      }
      if (i === parts.length - 1) return;
      onLine(cut ? `${rest.slice(0, MAX_LINE)} … (cut)` : rest);
      rest = '';
      cut = false;
    }
  };
}
