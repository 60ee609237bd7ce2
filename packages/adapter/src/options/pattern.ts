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

/** A path or glob of files. */
export const glob = text('glob', {
  matches: /^[^\0]{1,4096}$/,
  rule: 'must be a path or glob',
  remedy: "write it as '/logs/*.log'",
});

/** Checks that a pattern is given exactly if a format uses it, and that it has named groups. */
export function checkPattern(
  name: string,
  isUsed: boolean,
  source: string | undefined,
  report: Report,
): void {
  if (!isUsed) {
    if (source === undefined) return;
    report({
      name,
      value: source,
      rule: 'goes with the format regex only',
      remedy: 'leave it out, or choose the format regex',
    });
  } else if (source === undefined) {
    report({
      name,
      rule: 'is missing',
      remedy: 'give a regular expression with named groups',
    });
  } else if (groupNames(source).length === 0) {
    report({
      name,
      value: source,
      rule: 'has no named group',
      remedy: 'name what is to be a field: (?<level>[A-Z]+)',
    });
  }
}
