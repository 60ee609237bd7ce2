import type { Report, Type } from './type.ts';

/**
 * One option. Its key in the table is its key in a configuration file (`maxBody`), and gives
 * the flag (`--max-body`) and the variable (`<PREFIX>_MAX_BODY`).
 */
export interface Option<V> {
  readonly type: Type<NonNullable<V>>;
  /** Its effect, as one sentence in Markdown; shown by `--help`, the README and the schema. */
  readonly description: string;
  readonly default: V;
  readonly required?: boolean;
  /** Never printed: neither in the start-up log nor in an error. */
  readonly secret?: boolean;
}

type Words = { readonly description: string; readonly secret?: boolean };

/** Declares an option that has a default, must be given, or may be left out (undefined). */
export function option<const T>(type: Type<T>, words: Words & { readonly default: T }): Option<T>;
export function option<const T>(
  type: Type<T>,
  words: Words & { readonly required: true },
): Option<T>;
export function option<const T>(type: Type<T>, words: Words): Option<T | undefined>;
export function option<const T>(
  type: Type<T>,
  words: Words & { readonly default?: T; readonly required?: true },
): Option<T | undefined> {
  return { type: type as Type<NonNullable<T>>, default: undefined, ...words };
}

export type OptionMap = Readonly<Record<string, Option<unknown>>>;

/** The values that a map of options reads. */
export type OptionValues<F> = {
  readonly [K in keyof F]: F[K] extends Option<infer V> ? V : never;
};

/** The options of a command: the one source of parsing, validation, `--help`, README and JSON Schema. */
export interface OptionTable<F extends OptionMap = OptionMap> {
  /** The command as typed: `ambassador`, `mq producer`. */
  readonly command: string;
  /** The purpose of the command, in one line. */
  readonly summary: string;
  /** The start of its environment variables, without the underscore: `AMBASSADOR`. */
  readonly prefix: string;
  readonly options: F;
  /** Words after the options; where left out, none are allowed. */
  readonly operands?: {
    readonly label: string;
    readonly description: string;
    readonly min?: number;
    /** Everything after `--` is a command to run. */
    readonly command?: boolean;
    /** Checks one word, with the faults of the flags. */
    readonly check?: (operand: string, report: Report) => void;
  };
  /** Keys of other commands that share the prefix: their variables are left alone here. */
  readonly sharedKeys?: readonly string[];
  /** Whether `--config FILE` is taken; true by default. */
  readonly config?: boolean;
  /**
   * Rules between options, checked once each value is good by itself. A fault may name options by
   * their keys, separated by `, `: they are shown as the user wrote them.
   */
  check?(values: OptionValues<F>, operands: readonly string[], report: Report): void;
  /**
   * Rules between parts of options, checked whatever faults other parts have: `good` has the
   * values without a fault, defaults included, `written` has what was written for each key.
   */
  checkParts?(
    good: Partial<OptionValues<F>>,
    written: Readonly<Record<string, unknown>>,
    report: Report,
  ): void;
  /** Command lines that show the main uses, with a remark each. */
  readonly examples?: readonly (readonly [command: string, remark: string])[];
}

/**
 * Variables that Kubernetes injects for each Service of the namespace: a Service called
 * `ambassador` gives AMBASSADOR_PORT and more (kubelet, `pkg/kubelet/envvars`).
 */
export const SERVICE_LINK =
  /_SERVICE_HOST$|_SERVICE_PORT(_[A-Z0-9_]+)?$|_PORT$|_PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?$/;

/**
 * Names the type of a table while keeping its options' own types.
 * @throws Error where a Service's variables could be taken for an option, such as `port`.
 */
export function defineOptions<const F extends OptionMap>(table: OptionTable<F>): OptionTable<F> {
  for (const key of Object.keys(table.options)) {
    const variable = variableName(table.prefix, key);
    if (SERVICE_LINK.test(variable)) {
      throw new Error(`option ${key}: ${variable} would clash with the variables of Services`);
    }
  }
  return table;
}

export function flagName(key: string): string {
  return `--${words(key).join('-')}`;
}

export function variableName(prefix: string, key: string): string {
  return [prefix, ...words(key)].join('_').toUpperCase();
}

function words(key: string): string[] {
  return key.replace(/[A-Z]+/g, (capitals) => `-${capitals.toLowerCase()}`).split('-');
}
