import { Broken, type Report, refine, text } from '@sidekit/core';
import { compilePattern, groupNames } from '../parse/regex.ts';

/** A user's regular expression, which must run in linear time. */
export const pattern = refine(text('regular expression'), (source) => {
  try {
    compilePattern(source);
    return undefined;
  } catch (error) {
    return new Broken(
      `is not a regular expression that runs in linear time (${(error as Error).message})`,
      "use RE2's syntax, without look-around and back-references",
    );
  }
});

/** Checks that a pattern is given with the format `regex` only, and has named groups. */
export function checkPattern(format: string, source: string | undefined, report: Report): void {
  if (format !== 'regex') {
    if (source === undefined) return;
    report({
      name: '--pattern',
      value: source,
      rule: 'goes with --format regex only',
      remedy: `leave it out, or write --format regex`,
    });
  } else if (source === undefined) {
    report({
      name: '--pattern',
      rule: 'is missing',
      remedy: 'give a regular expression with named groups',
    });
  } else if (groupNames(source).length === 0) {
    report({
      name: '--pattern',
      value: source,
      rule: 'has no named group',
      remedy: 'name what is to be a field: (?<level>[A-Z]+)',
    });
  }
}
