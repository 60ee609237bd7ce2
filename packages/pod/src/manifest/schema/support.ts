import { type Fields, nearest, object, type Reader, type UnknownKey } from '@sidekit/core/schema';

/**
 * The kinds of what Kubernetes knows and this tool does not honour. `cluster`: cannot change what
 * the containers do (scheduling, rollout). `unsupported`: changes it. `host`: honoured, and
 * reaches the host.
 */
export type Category = 'cluster' | 'unsupported' | 'host';

/** Names of fields, with a reason or a remedy if there is one. */
export type Names = readonly string[] | Readonly<Record<string, string>>;

export interface Unhonoured {
  readonly cluster?: Names;
  readonly unsupported?: Names;
}

/** The rule that a field of the category breaks. */
export const RULES: Readonly<Record<Category, string>> = {
  cluster: 'has no effect without a cluster',
  unsupported: 'is not supported by pod',
  host: 'reaches the host',
};

/**
 * Makes a reader of an object of the API. A field that Kubernetes knows and this tool does not
 * honour is reported with its category, any other as an unknown field with the nearest name. An
 * empty or false value of a field that is not honoured asks for nothing.
 */
export function struct<const F extends Fields>(fields: F, unhonoured: Unhonoured = {}) {
  const cluster = reasons(unhonoured.cluster);
  const unsupported = reasons(unhonoured.unsupported);
  const known = [...Object.keys(fields), ...cluster.keys(), ...unsupported.keys()];
  const unknown: UnknownKey = (key, value) => {
    for (const [category, names] of [
      ['cluster', cluster],
      ['unsupported', unsupported],
    ] as const) {
      const remedy = names.get(key);
      if (remedy === undefined) continue;
      return isEmpty(value) ? undefined : { category, rule: RULES[category], remedy };
    }
    const hint = nearest(key, known);
    return { rule: 'unknown field', remedy: hint?.startsWith('did') ? hint : undefined };
  };
  return object(fields, unknown);
}

function reasons(names: Names = []): ReadonlyMap<string, string> {
  return new Map(
    Array.isArray(names) ? names.map((name: string) => [name, '']) : Object.entries(names),
  );
}

function isEmpty(value: unknown): boolean {
  return (
    value === null ||
    value === false ||
    value === '' ||
    (Array.isArray(value) && value.length === 0)
  );
}

/**
 * Makes a reader of one of a few words. `known` are words of Kubernetes that are not honoured:
 * they are reported with the category, and the first of `words` is read instead.
 */
export function choice<const T extends string>(
  words: readonly T[],
  known: readonly string[] = [],
  category: Category = 'unsupported',
): Reader<T> {
  return (value, path, report) => {
    if (words.includes(value as T)) return value as T;
    const list = words.map((word) => word || '""').join(', ');
    if (!known.includes(value as string)) {
      report(path, { value, rule: `must be one of ${[list, ...known].join(', ')}` });
      return undefined;
    }
    report(path, { value, category, rule: RULES[category], remedy: `use ${list}` });
    return words[0];
  };
}

/** Makes a reader of the one value that is honoured; others are reported with the category. */
export function only<const T extends string | boolean | number>(
  honoured: T,
  read: Reader<T>,
  category: Category = 'unsupported',
): Reader<T> {
  return (value, path, report) => {
    const result = read(value, path, report);
    if (result === undefined || result === honoured) return result;
    const remedy = category === 'unsupported' ? `use ${JSON.stringify(honoured)}` : undefined;
    report(path, { value, category, rule: RULES[category], remedy });
    return honoured;
  };
}

/**
 * Reads a field that has no effect without a cluster, and notes it: what an API server refuses is a
 * fault all the same. An empty value asks for nothing.
 */
export function noted<T>(read: Reader<T>, remedy = ''): Reader<T> {
  return (value, path, report) => {
    const result = read(value, path, report);
    if (result !== undefined && !isEmpty(value))
      report(path, { category: 'cluster', rule: RULES.cluster, remedy });
    return result;
  };
}

/** Reports what reaches the host, unless the value asks for nothing; the value is honoured. */
export function reachesHost<T>(read: Reader<T>, asks: (value: T) => boolean): Reader<T> {
  return (value, path, report) => {
    const result = read(value, path, report);
    if (result !== undefined && asks(result)) {
      report(path, { category: 'host', rule: RULES.host, remedy: 'allow it with --allow-host' });
    }
    return result;
  };
}

/** Reads any value as it is: for fields that are honoured by having nothing to do. */
export const anything: Reader<unknown> = (value) => value;
