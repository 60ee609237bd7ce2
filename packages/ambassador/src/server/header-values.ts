import { errorText, type Fault, readSmallFile, UsageError } from '@sidekit/core';
import type { ResolvedRule } from '../http/header-rules.ts';
import type { HeaderRule } from '../options/header-rules.ts';

/** The largest value that a file may hold, in bytes. */
const MAX_VALUE = 8 * 1024;

/** The environment variables of the process. */
export type Variables = Readonly<Record<string, string | undefined>>;

/**
 * Reads the values of rules from the configuration, files and variables.
 * @throws {UsageError} that names each value that is missing or malformed, without showing it.
 */
export function resolveRules(rules: readonly HeaderRule[], variables: Variables): ResolvedRule[] {
  const faults: Fault[] = [];
  const resolved = rules.map((rule) => {
    const name = rule.set ?? rule.add ?? rule.remove ?? '';
    if (rule.remove !== undefined) return { name, value: undefined, keep: false };
    const value = (rule.prefix ?? '') + readValue(rule, name, variables, faults);
    if (!/^[\t\x20-\x7e\x80-\xff]*$/.test(value))
      faults.push({ name, rule: 'has a value with a line feed or a control character' });
    return { name, value, keep: rule.add !== undefined };
  });
  if (faults.length > 0) throw new UsageError(faults);
  return resolved;
}

function readValue(rule: HeaderRule, name: string, variables: Variables, faults: Fault[]): string {
  if (rule.value !== undefined) return rule.value;
  if (rule.env !== undefined) {
    const value = variables[rule.env];
    if (value === undefined)
      faults.push({ name, value: rule.env, rule: 'is a variable that is not set' });
    return value ?? '';
  }
  try {
    // Editors and `kubectl create secret` end files with a line feed.
    const value = readSmallFile(rule.file!, MAX_VALUE)
      .toString('latin1')
      .replace(/\r?\n$/, '');
    // Most likely it is being written; the value before stays in use.
    if (value === '') faults.push({ name, value: rule.file, rule: 'is an empty file' });
    return value;
  } catch (error) {
    faults.push({ name, value: rule.file, rule: `cannot be read (${errorText(error)})` });
    return '';
  }
}
