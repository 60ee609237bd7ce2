import { nearest } from '@sidekit/core/tool';
import { fault, isObject, quoted, wrong } from './reader-faults.ts';

/** Where a value stands in its document: `['spec', 'containers', 0, 'name']`. */
export type Path = readonly (string | number)[];

/** Collects what is wrong; reading goes on so that all faults of a file are reported at once. */
export type Report = (path: Path, message: string) => void;

/** Reads one value of a manifest. Returns undefined exactly when it reported a fault. */
export type Reader<T> = (value: unknown, path: Path, report: Report) => T | undefined;

/** A field of an object: how it is read, and what happens where it is left out. */
export interface Field<T> {
  readonly read: Reader<NonNullable<T>>;
  readonly required?: boolean;
  readonly fallback?: NonNullable<T>;
}

/** What a reader reads. */
export type Read<R> = R extends Reader<infer T> ? T : never;

type Fields = Readonly<Record<string, Field<unknown>>>;

// biome-ignore lint/suspicious/noExplicitAny: inference over fields of any type
type FieldsOf = Readonly<Record<string, Field<any>>>;

type Values<F> = { readonly [K in keyof F]: F[K] extends Field<infer T> ? T : never };

export function required<T>(read: Reader<T>): Field<T> {
  return { read: read as Reader<NonNullable<T>>, required: true };
}

export function optional<T>(read: Reader<T>): Field<T | undefined> {
  return { read: read as Reader<NonNullable<T>> };
}

/** A field with the default that the API server sets. */
export function defaulted<T>(read: Reader<T>, fallback: NonNullable<T>): Field<T> {
  return { read: read as Reader<NonNullable<T>>, fallback };
}

/** How a path is written in messages: `spec.containers[0].name`. */
export function pathText(path: Path): string {
  let text = '';
  for (const part of path) {
    if (typeof part === 'number') text += `[${part}]`;
    else if (/^[A-Za-z_][\w-]*$/.test(part)) text += text ? `.${part}` : part;
    else text += `[${JSON.stringify(part)}]`;
  }
  return text;
}

export interface StructOptions {
  /** Names that Kubernetes knows and this tool does not honour, with a reason if there is one. */
  readonly refused?: Readonly<Record<string, string>> | readonly string[];
}

/**
 * An object with known fields. Others are refused by their path: "not supported by pod" where
 * Kubernetes knows them, "unknown field" with the nearest name where it does not. A null is an
 * absent field, as for the API server.
 */
export function struct<const F extends FieldsOf>(
  fields: F,
  options: StructOptions = {},
): Reader<Values<F>> {
  const refused = Array.isArray(options.refused)
    ? Object.fromEntries((options.refused as string[]).map((name) => [name, '']))
    : ((options.refused ?? {}) as Readonly<Record<string, string>>);
  return (value, path, report) => {
    if (!isObject(value)) return wrong(value, path, report, 'an object');
    let good = true;
    const note: Report = (at, message) => {
      good = false;
      report(at, message);
    };
    for (const [key, given] of Object.entries(value)) {
      if (Object.hasOwn(fields, key)) continue;
      if (Object.hasOwn(refused, key)) {
        if (isEmptyValue(given)) continue;
        const reason = refused[key];
        note([...path, key], `not supported by pod${reason ? ` (${reason})` : ''}`);
      } else {
        const hint = nearest(key, [...Object.keys(fields), ...Object.keys(refused)]);
        note([...path, key], `unknown field${hint?.startsWith('did') ? `: ${hint}` : ''}`);
      }
    }
    const values: Record<string, unknown> = {};
    for (const [key, field] of Object.entries(fields as Fields)) {
      const given = Object.hasOwn(value, key) ? value[key] : undefined;
      if (given !== undefined && given !== null) {
        values[key] = field.read(given, [...path, key], note);
      } else if (field.required) {
        note([...path, key], 'required');
      } else {
        values[key] = field.fallback;
      }
    }
    return good ? (values as Values<F>) : undefined;
  };
}

/** A list; with `unique`, no two items may agree in that field. */
export function list<T>(
  item: Reader<T>,
  { unique, min = 0 }: { readonly unique?: keyof T & string; readonly min?: number } = {},
): Reader<readonly T[]> {
  return (value, path, report) => {
    if (!Array.isArray(value)) return wrong(value, path, report, 'a list');
    if (value.length < min) return fault(report, path, `needs at least ${min} item`);
    const seen = new Map<unknown, number>();
    const items: T[] = [];
    let good = true;
    for (const [index, given] of value.entries()) {
      const read = item(given, [...path, index], report);
      if (unique !== undefined && isObject(given) && given[unique] !== undefined) {
        if (seen.has(given[unique])) {
          good = false;
          const other = pathText([...path, seen.get(given[unique]) ?? 0]);
          report(
            [...path, index, unique],
            `duplicate: ${JSON.stringify(given[unique])} is also the ${unique} of ${other}`,
          );
        } else seen.set(given[unique], index);
      }
      if (read === undefined) good = false;
      else items.push(read);
    }
    return good ? items : undefined;
  };
}

/** An object whose keys are the user's. */
export function map<T>(item: Reader<T>): Reader<Readonly<Record<string, T>>> {
  return (value, path, report) => {
    if (!isObject(value)) return wrong(value, path, report, 'an object');
    const read: Record<string, T> = {};
    let good = true;
    for (const [key, given] of Object.entries(value)) {
      const one = item(given, [...path, key], report);
      if (one === undefined) good = false;
      else read[key] = one;
    }
    return good ? read : undefined;
  };
}

/** Adds a rule over several fields of what was read. */
export function checked<T>(
  read: Reader<T>,
  check: (value: T, fault: (at: Path, message: string) => void) => void,
): Reader<T> {
  return (value, path, report) => {
    const result = read(value, path, report);
    if (result === undefined) return undefined;
    let good = true;
    check(result, (at, message) => {
      good = false;
      report([...path, ...at], message);
    });
    return good ? result : undefined;
  };
}

/** Changes what was read into what it means; `change` throws Error with the broken rule. */
export function mapped<A, B>(read: Reader<A>, change: (value: A) => B): Reader<B> {
  return (value, path, report) => {
    const result = read(value, path, report);
    if (result === undefined) return undefined;
    try {
      return change(result);
    } catch (error) {
      return fault(report, path, `${quoted(value)} ${(error as Error).message}`);
    }
  };
}

/** An empty or false value of a field that is not honoured asks for nothing. */
function isEmptyValue(value: unknown): boolean {
  return (
    value === null ||
    value === false ||
    value === '' ||
    (Array.isArray(value) && value.length === 0)
  );
}
