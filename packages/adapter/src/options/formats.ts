import { choice, list, type OptionValues, object, option, type Report, text } from '@sidekit/core';
import { FORMATS, NESTED_FORMATS } from '../parse/parser-for.ts';
import { checkPattern, glob, pattern } from './pattern.ts';
import { zoneName } from './time-zone.ts';

/** How the lines of files are parsed. */
export const formatSettings = {
  format: option(choice(...FORMATS), { description: 'The format of the lines.', default: 'raw' }),
  pattern: option(pattern, {
    description: 'For the format `regex`: a regular expression with named groups, in RE2 syntax.',
  }),
  nestedFormat: option(choice(...NESTED_FORMATS), {
    description:
      'The format of the text in `--nested-field`, such as that of the JSON in a container’s log. Its fields take the place of that field, and of others with their names; other text is left as it is.',
  }),
  nestedField: option(text(), {
    description: 'The field that holds text in the format of `--nested-format`.',
    default: 'message',
  }),
  multilineStart: option(pattern, {
    description:
      'A line that matches starts a new record; other lines are appended to the record before, such as those of a stack trace.',
  }),
};

/** The formats of some of the files. */
export const formatFields = object({
  files: option(list(glob), {
    description:
      'Globs of the live names, or of their paths with links resolved if they contain a slash.',
    required: true,
  }),
  ...formatSettings,
  timezone: option(zoneName, { description: 'By default that of `--timezone`.' }),
});

/** Checks that patterns go with their format. */
export function checkFormat(
  name: string,
  settings: OptionValues<typeof formatSettings>,
  report: Report,
): void {
  const { format, nestedFormat, pattern } = settings;
  if (format === 'regex' && nestedFormat === 'regex') {
    report({
      name: `${name}nestedFormat`,
      value: nestedFormat,
      rule: 'cannot be regex in lines of the format regex: there is one pattern',
      remedy: 'match the fields of both with the pattern',
    });
  }
  const isUsed = format === 'regex' || nestedFormat === 'regex';
  checkPattern(name === '' ? '--pattern' : `${name}pattern`, isUsed, pattern, report);
}
