import type { LogRecord, Parser } from './parser.ts';

/** One JSON object a line. */
export const parseJson: Parser = (line) => {
  let value: unknown;
  try {
    // Digits beyond a double's would change silently: such numbers stay as they were written.
    value = hasLongNumber(line) ? exact(line) : JSON.parse(line);
  } catch {
    return 'not JSON';
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return 'JSON, but not an object';
  }
  return value as LogRecord;
};

/** More digits than this, its point included, may be more than a double holds. */
const LONG = 16;

/** Looks for a run of digits by every 16th character, one of which it cannot avoid. */
function hasLongNumber(line: string): boolean {
  for (let i = LONG - 1; i < line.length; i += LONG) {
    if (!isDigit(line.charCodeAt(i))) continue;
    let from = i;
    let to = i + 1;
    while (from > 0 && isDigit(line.charCodeAt(from - 1))) from--;
    while (to < line.length && isDigit(line.charCodeAt(to))) to++;
    if (to - from >= LONG) return true;
  }
  return false;
}

function isDigit(code: number): boolean {
  return (code >= 0x30 && code <= 0x39) || code === 0x2e;
}

type WithSource = (key: string, value: unknown, context: { source?: string }) => unknown;

function exact(line: string): unknown {
  const revive: WithSource = (_key, value, { source }) => {
    if (typeof value !== 'number' || source === undefined || String(value) === source) return value;
    return (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON(source);
  };
  return JSON.parse(line, revive as (key: string, value: unknown) => unknown);
}
