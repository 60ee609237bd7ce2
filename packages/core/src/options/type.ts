import type { Fault } from '../errors.ts';

export type JsonSchema = { readonly [key: string]: unknown };

/** Collects what is wrong; reading goes on so that all faults are reported at once. */
export type Report = (fault: Fault) => void;

/**
 * How one option's value is read, from text (a flag, a variable) or from the data of a
 * configuration file.
 */
export interface Type<T> {
  /** What the value is, for `--help` and the README: `duration`, `integer 1–65535`. */
  readonly label: string;
  /**
   * Reads `input`, reporting each fault under `name`.
   * Returns undefined exactly when it reported one.
   */
  readonly parse: (input: unknown, name: string, report: Report) => T | undefined;
  /** JSON Schema (draft 2020-12) of what a configuration file may hold here. */
  readonly schema: JsonSchema;
  /** The value as a user would write it. */
  format(value: T): string;
  /** The value as the data of a configuration file; as `format` writes it where left out. */
  data?(value: T): unknown;
  /** A list: its flag may be repeated, and its variable holds comma-separated items. */
  readonly list?: boolean;
  /** A boolean: its flag stands alone, and has a `--no-` twin. */
  readonly flag?: boolean;
  /** Can only be written in a configuration file: an object or a list of objects. */
  readonly fileOnly?: boolean;
}

/** What a `Type<T>` reads. */
export type TypeOf<X> = X extends Type<infer T> ? T : never;

/** Makes a type whose value is written as one word. `read` returns the value, or says the broken rule. */
export function scalar<T>(
  label: string,
  schema: JsonSchema,
  read: (input: unknown) => T | Broken,
  format: (value: T) => string = String,
): Type<T> {
  return {
    label,
    schema,
    format,
    parse: (input, name, report) => {
      const value = read(input);
      if (!(value instanceof Broken)) return value;
      report({ name, value: input, rule: value.rule, remedy: value.remedy });
      return undefined;
    },
  };
}

/** A rule that a value breaks, and what to write instead. */
export class Broken {
  readonly rule: string;
  readonly remedy: string | undefined;

  constructor(rule: string, remedy?: string) {
    this.rule = rule;
    this.remedy = remedy;
  }
}

/** Narrows a type by a further rule: `check` returns undefined where the value keeps it. */
export function refine<T>(
  type: Type<T>,
  check: (value: T) => Broken | undefined,
  label = type.label,
): Type<T> {
  return {
    ...type,
    label,
    parse: (input, name, report) => {
      const value = type.parse(input, name, report);
      if (value === undefined) return undefined;
      const broken = check(value);
      if (!broken) return value;
      report({ name, value: input, rule: broken.rule, remedy: broken.remedy });
      return undefined;
    },
  };
}
