import type { Path } from './path.ts';

/** A rule that a value breaks, and what to write instead. */
export class Broken {
  readonly rule: string;
  readonly remedy: string | undefined;

  constructor(rule: string, remedy?: string) {
    this.rule = rule;
    this.remedy = remedy;
  }
}

/** A broken rule, with the value that breaks it unless there is none or it is secret. */
export interface Violation {
  readonly value?: unknown;
  readonly rule: string;
  readonly remedy?: string | undefined;
  /**
   * Marks a violation that may be tolerated, by a word for its kind: the reader returns a value
   * that is usable without the offending part, and whoever collects decides.
   */
  readonly category?: string;
}

/** Collects violations; reading continues so that all of them are reported at once. */
export type Collect = (path: Path, violation: Violation) => void;

/** Reads one value at `path`. Returns undefined exactly when it reported one without a category. */
export type Reader<T> = (value: unknown, path: Path, report: Collect) => T | undefined;

/** The type that a reader returns. */
export type Read<R> = R extends Reader<infer T> ? T : never;

/** Makes a reader of a function that returns the value, or the rule that it breaks. */
export function scalar<T>(check: (input: unknown) => T | Broken): Reader<T> {
  return (value, path, report) => {
    const result = check(value);
    if (!(result instanceof Broken)) return result;
    report(path, { value, rule: result.rule, remedy: result.remedy });
    return undefined;
  };
}

/** Adds a rule to a reader; `check` returns undefined if the value keeps it. */
export function refined<T>(read: Reader<T>, check: (value: T) => Broken | undefined): Reader<T> {
  return (value, path, report) => {
    const result = read(value, path, report);
    if (result === undefined) return undefined;
    return scalar(() => check(result) ?? result)(value, path, report);
  };
}

/** Adds rules over several fields of what was read, each reported at a path below its own. */
export function checked<T>(read: Reader<T>, check: (value: T, report: Collect) => void): Reader<T> {
  return (value, path, report) => {
    const result = read(value, path, report);
    if (result === undefined) return undefined;
    let good = true;
    check(result, (at, violation) => {
      good &&= violation.category !== undefined;
      report([...path, ...at], violation);
    });
    return good ? result : undefined;
  };
}

/** Converts what was read. */
export function mapped<A, B>(read: Reader<A>, convert: (value: A) => B): Reader<B> {
  return (value, path, report) => {
    const result = read(value, path, report);
    return result === undefined ? undefined : convert(result);
  };
}
