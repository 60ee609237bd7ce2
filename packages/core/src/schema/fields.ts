import { nearest } from './nearest.ts';
import type { Path } from './path.ts';
import type { Collect, Reader, Violation } from './reader.ts';

/** A field of an object: how it is read, and the value that stands for an absent one. */
export interface Field<T> {
  readonly read: Reader<NonNullable<T>>;
  readonly required?: boolean;
  readonly fallback?: T;
  /** The kind of value in words, for the remedy if it is missing. */
  readonly label?: string;
}

// biome-ignore lint/suspicious/noExplicitAny: inference over fields of any type
export type Fields = Readonly<Record<string, Field<any>>>;

/** The values that an object with these fields holds. */
export type FieldValues<F> = { readonly [K in keyof F]: F[K] extends Field<infer T> ? T : never };

/** Says why a key that is no field is refused; undefined accepts and drops it. */
export type UnknownKey = (key: string, value: unknown, path: Path) => Violation | undefined;

/** Declares a field that must be given. */
export function required<T>(read: Reader<T>): Field<T> {
  return { read: read as Reader<NonNullable<T>>, required: true };
}

/** Declares a field that may be absent. */
export function optional<T>(read: Reader<T>): Field<T | undefined> {
  return { read: read as Reader<NonNullable<T>> };
}

/** Declares a field with a default. */
export function defaulted<T>(read: Reader<T>, fallback: NonNullable<T>): Field<T> {
  return { read: read as Reader<NonNullable<T>>, fallback };
}

/**
 * Makes a reader of an object with known fields. Other keys are refused with the nearest known
 * name, unless `unknown` decides otherwise. A null is an absent field.
 */
export function object<const F extends Fields>(
  fields: F,
  unknown: UnknownKey = unknownKey(Object.keys(fields)),
): Reader<FieldValues<F>> {
  return (value, path, report) => {
    if (isRecord(value)) return readFields(fields, value, path, report, unknown);
    report(path, { value, rule: 'must be an object', remedy: 'write key: value lines' });
    return undefined;
  };
}

/** Reads the fields of an object: every fault is reported, absent fields get their defaults. */
export function readFields<const F extends Fields>(
  fields: F,
  record: Readonly<Record<string, unknown>>,
  path: Path,
  report: Collect,
  unknown: UnknownKey,
): FieldValues<F> | undefined {
  let good = true;
  const note: Collect = (at, violation) => {
    good &&= violation.category !== undefined;
    report(at, violation);
  };
  for (const [key, value] of Object.entries(record)) {
    if (Object.hasOwn(fields, key)) continue;
    const violation = unknown(key, value, [...path, key]);
    if (violation) note([...path, key], violation);
  }
  const values = Object.entries(fields).map(([key, { read, required, fallback, label }]) => {
    const given = Object.hasOwn(record, key) ? record[key] : undefined;
    if (given !== undefined && given !== null) return [key, read(given, [...path, key], note)];
    if (required) {
      note([...path, key], { rule: 'is missing', remedy: label && `add ${key}: ${label}` });
    }
    return [key, fallback];
  });
  return good ? (Object.fromEntries(values) as FieldValues<F>) : undefined;
}

/** Refuses every unknown key with the nearest of the known ones. */
export function unknownKey(known: readonly string[]): UnknownKey {
  return (key) => ({ rule: 'is not a known key', remedy: nearest(key, known) });
}

/** Whether a value is an object that is neither null nor an array. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
