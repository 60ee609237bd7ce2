import { type OptionMap, type OptionValues, object, type Type } from '@sidekit/core';
import { type Collect, isRecord, type Path, type Violation } from '@sidekit/core/schema';

/** Reports a violation at a path below that of the object. */
type Complain = (at: Path, violation: Violation) => void;

/**
 * Makes an object type with rules over several fields. They are checked on what was written, so
 * that their faults are reported together with those of the fields.
 */
export function objectWithRules<const F extends OptionMap>(
  fields: F,
  check: (given: Readonly<Record<string, unknown>>, complain: Complain) => void,
  schema: object = {},
): Type<OptionValues<F>> {
  const type = object(fields);
  return {
    ...type,
    schema: { ...type.schema, ...schema },
    read: (value, path, report) => {
      let good = true;
      const note: Collect = (at, violation) => {
        good = false;
        report(at, violation);
      };
      const result = type.read(value, path, note);
      if (isRecord(value)) check(value, (at, violation) => note([...path, ...at], violation));
      return good ? result : undefined;
    },
  };
}

/** Makes a list type of 1 to `most` items; beyond that the items are not read. */
export function listOf<T>(
  item: Type<T>,
  most: number,
  rules: { readonly min?: number; readonly unique?: string } = {},
): Type<readonly T[]> {
  const { min = 0, unique } = rules;
  return {
    label: `list of ${item.label}`,
    fileOnly: true,
    format: (values) => values.map(item.format).join(','),
    schema: { type: 'array', items: item.schema, minItems: min, maxItems: most },
    read: (value, path, report) => {
      if (!Array.isArray(value) || value.length < min || value.length > most) {
        const count = Array.isArray(value) ? value.length : value;
        const rule = `must be a list of ${min} to ${most} items`;
        report(path, { value: count, rule, remedy: 'write - lines' });
        return undefined;
      }
      let good = true;
      const seen = new Map<unknown, number>();
      const items = value.map((one, i) => {
        const read = item.read(one, [...path, i], report);
        if (read === undefined) good = false;
        const key = unique !== undefined && isRecord(one) ? one[unique] : undefined;
        if (key === undefined || unique === undefined) return read;
        const first = seen.get(key);
        if (first === undefined) seen.set(key, i);
        else {
          good = false;
          const rule = `is a duplicate: item ${first} has it already`;
          report([...path, i, unique], { value: key, rule, remedy: 'choose another' });
        }
        return read;
      });
      return good ? (items as T[]) : undefined;
    },
  };
}

/** Reports unless exactly one of the keys is given. */
export function exactlyOne(
  given: Readonly<Record<string, unknown>>,
  keys: readonly string[],
  complain: Complain,
): void {
  const found = keys.filter((key) => given[key] !== undefined && given[key] !== null);
  if (found.length === 1) return;
  const rule =
    found.length === 0
      ? `must have one of ${keys.join(', ')}`
      : `must have only one of ${found.join(', ')}`;
  complain([], { rule, remedy: found.length === 0 ? 'add one' : 'split it' });
}

/** The JSON Schema of that rule. */
export function oneOf(keys: readonly string[]): object {
  return { oneOf: keys.map((key) => ({ required: [key] })) };
}
