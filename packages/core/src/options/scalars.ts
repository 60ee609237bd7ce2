import { Broken, scalar, type Type } from './type.ts';

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

export function integer(min = 0, max: number = Number.MAX_SAFE_INTEGER): Type<number> {
  const schema = { type: 'integer', minimum: min, maximum: max };
  const type = scalar(`integer ${range(min, max)}`, schema, (input) => {
    const value = typeof input === 'string' && /^-?\d+$/.test(input) ? Number(input) : input;
    if (typeof value !== 'number' || !Number.isInteger(value)) {
      return new Broken('must be a whole number', `write a number ${range(min, max)}`);
    }
    return within(value, min, max) ?? value;
  });
  return { ...type, data: itself };
}

export function number(min: number, max: number): Type<number> {
  const schema = { type: 'number', minimum: min, maximum: max };
  const type = scalar(`number ${range(min, max)}`, schema, (input) => {
    const value = typeof input === 'string' && input.trim() !== '' ? Number(input) : input;
    if (typeof value !== 'number' || !Number.isFinite(value)) {
      return new Broken('must be a number', `write a number ${range(min, max)}`);
    }
    return within(value, min, max) ?? value;
  });
  return { ...type, data: itself };
}

export const boolean: Type<boolean> = {
  ...scalar('boolean', { type: 'boolean' }, (input) => {
    if (input === true || input === 'true' || input === '1') return true;
    if (input === false || input === 'false' || input === '0') return false;
    return new Broken('must be true or false', 'write true or false');
  }),
  data: itself,
  flag: true,
};

/** One of a few words. */
export function choice<const T extends string>(...words: readonly T[]): Type<T> {
  const all = words.join(', ');
  return scalar(words.join(' | '), { enum: words }, (input) =>
    words.includes(input as T) ? (input as T) : new Broken(`must be one of ${all}`),
  );
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

function within(value: number, min: number, max: number): Broken | undefined {
  return value >= min && value <= max
    ? undefined
    : new Broken(
        `must be ${range(min, max)}`,
        `write ${value < min ? min : max}${value < min ? ' or more' : ' or less'}`,
      );
}

function range(min: number, max: number): string {
  return max === Number.MAX_SAFE_INTEGER ? `≥ ${min}` : `${min}–${max}`;
}
