import { list, type OptionValues, object, option, path, type Report, text } from '@sidekit/core';
import { FieldKind, fieldKind } from '../http/field-kind.ts';

const name = text('field name', {
  matches: /^[!#$%&'*+.^`|~0-9A-Za-z-]{1,128}$/,
  rule: 'must be a field name without underscores',
  remedy: 'write a name such as X-Team',
});

const ruleFields = {
  set: option(name, { description: 'Sets this field, instead of any that is there.' }),
  add: option(name, { description: 'Adds this field to those that are there.' }),
  remove: option(name, { description: 'Removes this field.' }),
  value: option(
    text('field value', {
      matches: /^[\t\x20-\x7e\x80-\xff]*$/,
      rule: 'must be a field value',
      remedy: 'write one line of Latin text without control characters',
    }),
    {
      description: 'The value.',
      secret: true,
    },
  ),
  file: option(path, { description: 'Reads the value from a file, again when it changes.' }),
  env: option(
    text('variable', {
      matches: /^[A-Za-z_][A-Za-z0-9_]*$/,
      rule: 'must be a variable name',
      remedy: 'write a name such as API_TOKEN',
    }),
    { description: 'Takes the value from this environment variable.' },
  ),
  prefix: option(
    text('text', {
      matches: /^[\t\x20-\x7e]*$/,
      rule: 'must be printable ASCII',
      remedy: 'write text such as "Bearer "',
    }),
    {
      description: 'Text in front of the value, such as `Bearer `.',
    },
  ),
} as const;

/** Rules for fields, applied in their order. */
export const headerRules = list(object(ruleFields));

export type HeaderRule = OptionValues<typeof ruleFields>;

/** The kinds of fields that rules may change; the others frame or route the message. */
const ALLOWED: ReadonlySet<FieldKind> = new Set<FieldKind>([
  FieldKind.ordinary,
  FieldKind.forwarded,
  FieldKind.identity,
]);

/** Reports rules that cannot be applied. */
export function checkHeaderRules(rules: readonly HeaderRule[], at: string, report: Report): void {
  rules.forEach((rule, i) => {
    const fault = (text: string, remedy: string) =>
      report({ name: `${at}[${i}]`, rule: text, remedy });
    const names = [rule.set, rule.add, rule.remove].filter((one) => one !== undefined);
    if (names.length !== 1) {
      fault('must have exactly one of set, add and remove', 'write one rule for each change');
      return;
    }
    if (!ALLOWED.has(fieldKind(names[0]!)))
      fault(
        `must not change ${names[0]}, which frames or routes the message`,
        /^host$/i.test(names[0]!) ? 'use hostHeader' : 'remove the rule',
      );
    const sources = [rule.value, rule.file, rule.env].filter((one) => one !== undefined);
    if (rule.remove !== undefined && sources.length > 0)
      fault('must have no value, file or env', 'a removed field needs none');
    else if (rule.remove === undefined && sources.length !== 1)
      fault('must have exactly one of value, file and env', 'write one of them');
  });
}
