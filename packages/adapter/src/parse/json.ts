import { withBoundedDepth } from './depth.ts';
import type { LogRecord, Parser } from './parser.ts';

/** Parses one JSON object per line. */
export const parseJson: Parser = (line) => {
  let value: unknown;
  try {
    const text = withBoundedDepth(line);
    // A double would silently change some numbers: they are kept as they were written.
    value = hasLongNumber(text) || LARGE.test(text) ? exact(text) : JSON.parse(text);
  } catch {
    return 'not JSON';
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return 'JSON, but not an object';
  }
  return value as LogRecord;
};

/** An exponent of three digits may be more than a double holds. */
const LARGE = /\d[eE][+-]?\d{3}/;

/** A number with this many digits, point included, may not fit a double. */
const LONG = 16;

/** Finds a run of 16 digits by testing every 16th character. */
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
