import { map as mapReader } from '../schema/collections.ts';
import { type Fields, isRecord, object as objectReader } from '../schema/fields.ts';
import { type Path, pathText } from '../schema/path.ts';
import type { Collect, Reader } from '../schema/reader.ts';
import type { Option, OptionMap, OptionValues } from './table.ts';
import type { JsonSchema, Type } from './type.ts';

/** Several values of one type: a repeated flag, a comma-separated variable, a YAML list. */
export function list<T>(item: Type<T>): Type<readonly T[]> {
  return {
    label: `list of ${item.label}`,
    schema: oneOrMore(item),
    format: (values) => values.map(item.format).join(','),
    data: (values) => values.map((value) => dataOf(item, value)),
    list: true,
    ...(item.fileOnly ? { fileOnly: true } : {}),
    read: (input, path, report) => {
      const items = Array.isArray(input) ? input : [input];
      // A flag takes one value: a comma may belong to it.
      const several: Collect = (at, fault) =>
        report(at, { ...fault, remedy: fault.remedy ?? 'repeat the flag, or write a list' });
      const values = items.map((one, i) =>
        item.read(
          one,
          Array.isArray(input) && item.fileOnly ? [...path, i] : path,
          typeof one === 'string' && one.includes(',') ? several : report,
        ),
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
    read: (input, path, report) => {
      const record = isRecord(input) ? input : pairs(input, path, report);
      return record && mapReader(item.read)(record, path, report);
    },
  };
}

function pairs(input: unknown, path: Path, report: Collect): Record<string, string> | undefined {
  const items = Array.isArray(input) ? input : [input];
  const bad = items.filter((item) => typeof item !== 'string' || !/^[^=]+=/.test(item));
  for (const value of bad) {
    const remedy = `write ${pathText(path)} name=value`;
    report(path, { value, rule: 'must be name=value', remedy });
  }
  if (bad.length > 0) return undefined;
  return Object.fromEntries(
    items.map((item: string) => [
      item.slice(0, item.indexOf('=')),
      item.slice(item.indexOf('=') + 1),
    ]),
  );
}

/** An object of a configuration file; unknown keys are refused with the nearest known name. */
export function object<const F extends OptionMap>(fields: F): Type<OptionValues<F>> {
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
    read: objectReader(fieldsOf(fields)) as Reader<OptionValues<F>>,
  };
}

function fieldsOf(options: OptionMap): Fields {
  return Object.fromEntries(
    Object.entries(options).map(([key, option]) => [
      key,
      {
        read: readerOf(option),
        required: option.required ?? false,
        fallback: option.default,
        label: option.type.label,
      },
    ]),
  );
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

/** Reads an option's value without showing it in a fault if it is secret. */
export function readerOf<T>({ type, secret }: Option<T>): Reader<NonNullable<T>> {
  if (!secret) return type.read;
  return (value, path, report) =>
    type.read(value, path, (at, violation) => report(at, { ...violation, value: undefined }));
}
