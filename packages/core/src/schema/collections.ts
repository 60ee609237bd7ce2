import { isRecord } from './fields.ts';
import { pathText } from './path.ts';
import type { Broken, Reader } from './reader.ts';

export interface ListRules<T> {
  /** The field in which no two items may agree. */
  readonly unique?: keyof T & string;
  /** The least number of items; 0 by default. */
  readonly min?: number;
}

/** Makes a reader of a list. */
export function list<T>(item: Reader<T>, rules: ListRules<T> = {}): Reader<readonly T[]> {
  const { unique, min = 0 } = rules;
  return (value, path, report) => {
    if (!Array.isArray(value)) {
      report(path, { value, rule: 'must be a list', remedy: 'write - value lines' });
      return undefined;
    }
    if (value.length < min) {
      report(path, { rule: `must have at least ${min} item${min === 1 ? '' : 's'}` });
      return undefined;
    }
    let good = true;
    const seen = new Map<unknown, number>();
    const items = value.map((given, index) => {
      const read = item(given, [...path, index], report);
      if (read === undefined) good = false;
      const name = unique !== undefined && isRecord(given) ? given[unique] : undefined;
      if (name === undefined) return read;
      const first = seen.get(name);
      if (first === undefined) {
        seen.set(name, index);
      } else {
        good = false;
        report([...path, index, unique ?? ''], {
          value: name,
          rule: `is a duplicate: it is also the ${unique} of ${pathText([...path, first])}`,
        });
      }
      return read;
    });
    return good ? (items as T[]) : undefined;
  };
}

/** Makes a reader of an object whose keys are the user's; `keyRule` says what a key breaks. */
export function map<T>(
  item: Reader<T>,
  keyRule: (key: string) => Broken | undefined = () => undefined,
): Reader<Readonly<Record<string, T>>> {
  return (value, path, report) => {
    if (!isRecord(value)) {
      report(path, { value, rule: 'must be an object', remedy: 'write name: value lines' });
      return undefined;
    }
    let good = true;
    const entries = Object.entries(value).map(([key, given]) => {
      const broken = keyRule(key);
      if (broken) report([...path, key], { rule: broken.rule, remedy: broken.remedy });
      const read = item(given, [...path, key], report);
      if (broken || read === undefined) good = false;
      return [key, read];
    });
    return good ? Object.fromEntries(entries) : undefined;
  };
}
