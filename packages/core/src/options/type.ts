import type { Fault } from '../errors.ts';
import { pathText } from '../schema/path.ts';
import { type Broken, type Reader, refined, scalar as scalarReader } from '../schema/reader.ts';

export type JsonSchema = { readonly [key: string]: unknown };

/** Collects faults; reading continues so that all of them are reported at once. */
export type Report = (fault: Fault) => void;

/**
 * The type of an option's value: how it is read, from text (a flag, a variable) or from the data
 * of a configuration file, and how it is documented.
 */
export interface Type<T> {
  /** The kind of value, for `--help` and the README: `duration`, `integer 1–65535`. */
  readonly label: string;
  readonly read: Reader<T>;
  /** JSON Schema (draft 2020-12) of the value in a configuration file. */
  readonly schema: JsonSchema;
  /** The value as a user would write it. */
  format(value: T): string;
  /** The value as the data of a configuration file; as `format` writes it by default. */
  data?(value: T): unknown;
  /** A list: its flag may be repeated, and its variable holds comma-separated items. */
  readonly list?: boolean;
  /** A boolean: its flag stands alone, and has a `--no-` twin. */
  readonly flag?: boolean;
  /** Can only be written in a configuration file: an object or a list of objects. */
  readonly fileOnly?: boolean;
}

/** The type that a `Type<T>` reads. */
export type TypeOf<X> = X extends Type<infer T> ? T : never;

/** Makes a type whose value is written as one word; `read` returns the value or the broken rule. */
export function scalar<T>(
  label: string,
  schema: JsonSchema,
  read: (input: unknown) => T | Broken,
  format: (value: T) => string = String,
): Type<T> {
  return { label, schema, format, read: scalarReader(read) };
}

/** Narrows a type by a further rule; `check` returns undefined if the value keeps it. */
export function refine<T>(
  type: Type<T>,
  check: (value: T) => Broken | undefined,
  label = type.label,
): Type<T> {
  return { ...type, label, read: refined(type.read, check) };
}

/** Reads a value that the user knows as `name`. Returns undefined exactly when it reported a fault. */
export function readValue<T>(
  type: Type<T>,
  input: unknown,
  name: string,
  report: Report,
): T | undefined {
  return type.read(input, [name], (path, violation) =>
    report({ name: pathText(path), ...violation }),
  );
}
