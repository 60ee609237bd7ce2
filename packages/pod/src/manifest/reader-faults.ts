import type { Path, Report } from './reader.ts';

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Reports a value of the wrong kind. */
export function wrong(value: unknown, path: Path, report: Report, expected: string): undefined {
  return fault(report, path, `must be ${expected}, not ${kind(value)}`);
}

/** Reports, and gives what a reader returns then. */
export function fault(report: Report, path: Path, message: string): undefined {
  report(path, message);
  return undefined;
}

/** A value as messages show it. */
export function quoted(value: unknown): string {
  const shown = JSON.stringify(value) ?? String(value);
  return shown.length > 80 ? `${shown.slice(0, 77)}...` : shown;
}

function kind(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'an object';
  return `${quoted(value)} (a ${typeof value})`;
}

/** Words as alternatives: `a, b or c`. */
export function either(words: readonly string[]): string {
  return words.length < 2
    ? String(words[0])
    : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;
}
