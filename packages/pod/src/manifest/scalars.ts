import type { Reader } from './reader.ts';
import { either, fault, quoted, wrong } from './reader-faults.ts';

export function text(rule?: (value: string) => string | undefined): Reader<string> {
  return (value, path, report) => {
    if (typeof value !== 'string') return wrong(value, path, report, 'a string');
    const broken = rule?.(value);
    return broken === undefined ? value : fault(report, path, `${quoted(value)} ${broken}`);
  };
}

export function integer(min: number, max = 2 ** 31 - 1): Reader<number> {
  return (value, path, report) => {
    if (!Number.isInteger(value)) return wrong(value, path, report, 'a whole number');
    const number = value as number;
    if (number >= min && number <= max) return number;
    return fault(
      report,
      path,
      `${number} must be ${max === 2 ** 31 - 1 ? `at least ${min}` : `${min}–${max}`}`,
    );
  };
}

export const boolean: Reader<boolean> = (value, path, report) =>
  typeof value === 'boolean' ? value : wrong(value, path, report, 'true or false');

export function choice<const T extends string>(
  words: readonly T[],
  refused: readonly string[] = [],
): Reader<T> {
  return (value, path, report) => {
    if (words.includes(value as T)) return value as T;
    if (refused.includes(value as string)) {
      return fault(report, path, `${quoted(value)} is not supported by pod: use ${either(words)}`);
    }
    return fault(report, path, `${quoted(value)} must be ${either(words)}`);
  };
}

/** A field that only says what is so anyway, such as `hostNetwork: false`. */
export function only<const T extends string | boolean | number>(
  ...values: readonly T[]
): Reader<T> {
  return (value, path, report) =>
    values.includes(value as T)
      ? (value as T)
      : fault(
          report,
          path,
          `${quoted(value)} is not supported by pod: only ${either(values.map(String))} is`,
        );
}

/** Any object or value, kept as it is: for fields that are honoured by having nothing to do. */
export const anything: Reader<unknown> = (value) => value;
