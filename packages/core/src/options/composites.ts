import { nearest } from '../schema/nearest.ts';
import type { Option, OptionValues } from './table.ts';
import type { JsonSchema, Report, Type } from './type.ts';

/** Several values of one type: a repeated flag, a comma-separated variable, a YAML list. */
export function list<T>(item: Type<T>): Type<readonly T[]> {
  return {
    label: `list of ${item.label}`,
    schema: oneOrMore(item),
    format: (values) => values.map(item.format).join(','),
    data: (values) => values.map((value) => dataOf(item, value)),
    list: true,
    ...(item.fileOnly ? { fileOnly: true } : {}),
    parse: (input, name, report) => {
      const items = Array.isArray(input) ? input : [input];
      const values = items.map((one, i) =>
        item.parse(one, Array.isArray(input) && item.fileOnly ? `${name}[${i}]` : name, report),
      );
      return values.includes(undefined) ? undefined : (values as T[]);
    },
  };
}

/** A list of one plain value may be written as that value. */
function oneOrMore<T>(item: Type<T>): JsonSchema {
  const array = { type: 'array', items: item.schema };
  return item.fileOnly ? array : { anyOf: [array, item.schema] };
}

/** Names to values of one type, such as `fields: {service: shop}`; as text, `name=value`. */
export function map<T>(item: Type<T>): Type<Readonly<Record<string, T>>> {
  return {
    label: `map of name to ${item.label}`,
    schema: { type: 'object', additionalProperties: item.schema },
    format: (values) =>
      Object.entries(values)
        .map(([key, value]) => `${key}=${item.format(value)}`)
        .join(','),
    data: (values) =>
      Object.fromEntries(
        Object.entries(values).map(([key, value]) => [key, dataOf(item, value)] as const),
      ),
    list: true,
    parse: (input, name, report) => {
      const entries = isRecord(input) ? Object.entries(input) : pairs(input, name, report);
      if (!entries) return undefined;
      const values = entries.map(
        ([key, value]) => [key, item.parse(value, `${name}.${key}`, report)] as const,
      );
      return values.some(([, value]) => value === undefined)
        ? undefined
        : Object.fromEntries(values as [string, T][]);
    },
  };
}

function pairs(input: unknown, name: string, report: Report): [string, string][] | undefined {
  const items = Array.isArray(input) ? input : [input];
  const bad = items.filter((item) => typeof item !== 'string' || !/^[^=]+=/.test(item));
  for (const value of bad) {
    report({ name, value, rule: 'must be name=value', remedy: `write ${name} name=value` });
  }
  if (bad.length > 0) return undefined;
  return items.map((item: string) => [
    item.slice(0, item.indexOf('=')),
    item.slice(item.indexOf('=') + 1),
  ]);
}

type Fields = Readonly<Record<string, Option<unknown>>>;

/** An object of a configuration file; unknown keys are refused with the nearest known name. */
export function object<const F extends Fields>(fields: F): Type<OptionValues<F>> {
  const required = Object.keys(fields).filter((key) => fields[key]?.required);
  return {
    label: 'object',
    fileOnly: true,
    format: (value) =>
      JSON.stringify(value, (key, inner) =>
        Object.hasOwn(fields, key) && fields[key]?.secret ? 'redacted' : inner,
      ),
    schema: {
      type: 'object',
      additionalProperties: false,
      properties: Object.fromEntries(
        Object.entries(fields).map(([key, option]) => [key, fieldSchema(option)]),
      ),
      ...(required.length > 0 ? { required } : {}),
    },
    parse: (input, name, report) => readFields(fields, input, name, report),
  };
}

function readFields<F extends Fields>(
  fields: F,
  input: unknown,
  name: string,
  report: Report,
): OptionValues<F> | undefined {
  if (!isRecord(input)) {
    report({ name, value: input, rule: 'must be an object', remedy: 'write key: value lines' });
    return undefined;
  }
  let good = true;
  const counting: Report = (fault) => {
    good = false;
    report(fault);
  };
  for (const key of Object.keys(input)) {
    if (Object.hasOwn(fields, key)) continue;
    counting({
      name: `${name}.${key}`,
      rule: 'is not a known key',
      remedy: nearest(key, Object.keys(fields)),
    });
  }
  const values: Record<string, unknown> = {};
  for (const [key, option] of Object.entries(fields)) {
    const given = Object.hasOwn(input, key) ? input[key] : undefined;
    if (given !== undefined && given !== null) {
      values[key] = option.type.parse(given, `${name}.${key}`, discreet(option, counting));
    } else if (option.required) {
      counting({
        name: `${name}.${key}`,
        rule: 'is missing',
        remedy: `add ${key}: ${option.type.label}`,
      });
    } else {
      values[key] = option.default;
    }
  }
  return good ? (values as OptionValues<F>) : undefined;
}

/** The JSON Schema of one option, with its description and default. */
export function fieldSchema(option: Option<unknown>): Record<string, unknown> {
  const { type, description, default: usual } = option;
  const shown = usual === undefined || usual === null || type.fileOnly ? undefined : usual;
  if (shown === undefined) return { description, ...type.schema };
  return { description, ...type.schema, default: dataOf(type, shown) };
}

function dataOf<T>(type: Type<T>, value: T): unknown {
  return type.data ? type.data(value) : type.format(value);
}

/** Reports the faults of an option, without their values where it is secret. */
export function discreet(option: Option<unknown>, report: Report): Report {
  return option.secret ? (fault) => report({ ...fault, value: undefined }) : report;
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
