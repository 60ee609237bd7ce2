import { RE2JS } from 're2js';
import type { LogRecord, Parser } from './parser.ts';

/**
 * A user's regular expression, run by RE2's algorithm: time is linear in the line whatever the
 * pattern, so none can stall the reader. It has no look-around and no back-references; these are
 * refused when the configuration is read.
 */
export interface Pattern {
  readonly source: string;
  test(text: string): boolean;
  /** Returns the named groups of the first match; undefined if there is none. */
  groups(text: string): Record<string, string> | undefined;
  replaceAll(text: string, replacement: string): string;
}

/** Compiles a pattern. @throws Error with what RE2 does not accept. */
export function compilePattern(source: string): Pattern {
  const compiled = RE2JS.compile(source);
  const names = Object.keys(compiled.namedGroups());
  return {
    source,
    test: (text) => compiled.test(text),
    groups: (text) => {
      const matcher = compiled.matcher(text);
      if (!matcher.find()) return undefined;
      const groups: Record<string, string> = {};
      for (const name of names) {
        const value = matcher.group(name);
        if (value !== null && value !== undefined) groups[name] = value;
      }
      return groups;
    },
    replaceAll: (text, replacement) =>
      compiled.test(text) ? compiled.matcher(text).replaceAll(replacement) : text,
  };
}

/** Returns the names of a pattern's groups. */
export function groupNames(source: string): readonly string[] {
  return Object.keys(RE2JS.compile(source).namedGroups());
}

/** Creates a parser whose fields are named groups; text that is a JSON number becomes one. */
export function regexParser(pattern: Pattern): Parser {
  return (line) => {
    const groups = pattern.groups(line);
    if (!groups) return 'does not match the pattern';
    const record: LogRecord = {};
    for (const name in groups) record[name] = scalar(groups[name]!);
    return record;
  };
}

const NUMBER = /^-?(?:0|[1-9]\d{0,14})(?:\.\d{1,15})?$/;

/** Returns a number if the text is one and keeps its digits, else the text. */
export function scalar(text: string): string | number {
  return NUMBER.test(text) ? Number(text) : text;
}
