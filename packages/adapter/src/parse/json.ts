import type { LogRecord, Parser } from './parser.ts';

/** One JSON object a line. */
export const parseJson: Parser = (line) => {
  let value: unknown;
  try {
    // Digits beyond a double's would change silently: such numbers stay as they were written.
    value = LONG_NUMBER.test(line) ? exact(line) : JSON.parse(line);
  } catch {
    return 'not JSON';
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return 'JSON, but not an object';
  }
  return value as LogRecord;
};

const LONG_NUMBER = /[\d.]{16}/;

type WithSource = (key: string, value: unknown, context: { source?: string }) => unknown;

function exact(line: string): unknown {
  const revive: WithSource = (_key, value, { source }) => {
    if (typeof value !== 'number' || source === undefined || String(value) === source) return value;
    return (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON(source);
  };
  return JSON.parse(line, revive as (key: string, value: unknown) => unknown);
}
