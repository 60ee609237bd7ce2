import { Broken, type Reader } from '../schema/reader.ts';
import {
  boolean as booleanReader,
  choice as choiceReader,
  integer as integerReader,
  number as numberReader,
  rangeText,
} from '../schema/scalars.ts';
import { scalar, type Type } from './type.ts';

/** Any text; `pattern` is a rule with its own words. */
export function text(
  label = 'text',
  pattern?: { readonly matches: RegExp; readonly rule: string; readonly remedy?: string },
): Type<string> {
  const schema = pattern ? { type: 'string', pattern: pattern.matches.source } : { type: 'string' };
  return scalar(label, schema, (input) => {
    if (typeof input !== 'string') return new Broken('must be text', 'put it in quotes');
    if (pattern && !pattern.matches.test(input)) return new Broken(pattern.rule, pattern.remedy);
    return input;
  });
}

/** A path of the file system, not checked for existence. */
export const path: Type<string> = text('path', {
  matches: /^[^\0]+$/,
  rule: 'must be a path',
  remedy: 'give the path of a file or directory',
});

/** A whole number, in decimal digits as text. */
export function integer(min = 0, max: number = Number.MAX_SAFE_INTEGER): Type<number> {
  const read = integerReader(min, max);
  return {
    label: `integer ${rangeText(min, max)}`,
    schema: { type: 'integer', minimum: min, maximum: max },
    read: fromText(read, (input) => (/^-?\d+$/.test(input) ? Number(input) : undefined)),
    format: String,
    data: itself,
  };
}

/** A finite number. */
export function number(min: number, max: number): Type<number> {
  const read = numberReader(min, max);
  return {
    label: `number ${rangeText(min, max)}`,
    schema: { type: 'number', minimum: min, maximum: max },
    read: fromText(read, (input) => (input.trim() === '' ? undefined : Number(input))),
    format: String,
    data: itself,
  };
}

export const boolean: Type<boolean> = {
  label: 'boolean',
  schema: { type: 'boolean' },
  read: fromText(booleanReader, (input) =>
    input === 'true' || input === '1'
      ? true
      : input === 'false' || input === '0'
        ? false
        : undefined,
  ),
  format: String,
  data: itself,
  flag: true,
};

/** One of a few words. */
export function choice<const T extends string>(...words: readonly T[]): Type<T> {
  return {
    label: words.join(' | '),
    schema: { enum: words },
    read: choiceReader(...words),
    format: String,
  };
}

/** Converts text before it is read; text that `convert` cannot read is reported as it is. */
function fromText<T>(read: Reader<T>, convert: (input: string) => T | undefined): Reader<T> {
  return (value, path, report) => {
    const converted = typeof value === 'string' ? (convert(value) ?? value) : value;
    return read(converted, path, (at, violation) => report(at, { ...violation, value }));
  };
}

/** An absolute URL of one of the given schemes. */
export function url(...schemes: readonly string[]): Type<string> {
  const example = `${schemes[0]}://host:port/path`;
  return scalar('URL', { type: 'string', format: 'uri' }, (input) => {
    if (typeof input !== 'string' || !URL.canParse(input)) {
      return new Broken('must be an absolute URL', `write it as ${example}`);
    }
    const scheme = new URL(input).protocol.slice(0, -1);
    return schemes.includes(scheme)
      ? input
      : new Broken(`must have the scheme ${schemes.join(' or ')}`, `write it as ${example}`);
  });
}

/** A number or boolean stands for itself in a file; other values are written as text. */
function itself<T>(value: T): T {
  return value;
}
