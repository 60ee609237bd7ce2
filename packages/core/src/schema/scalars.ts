import { Broken, type Reader, scalar } from './reader.ts';

/** Makes a reader of a string; `rule` says what one breaks. */
export function text(
  rule: (value: string) => Broken | undefined = () => undefined,
): Reader<string> {
  return scalar((input) =>
    typeof input === 'string'
      ? (rule(input) ?? input)
      : new Broken('must be text', 'put it in quotes'),
  );
}

/** Makes a reader of a whole number of the range, which may be without an upper end. */
export function integer(min = 0, max: number = Number.MAX_SAFE_INTEGER): Reader<number> {
  return scalar((input) =>
    Number.isInteger(input)
      ? within(input as number, min, max)
      : new Broken('must be a whole number', `write a number ${rangeText(min, max)}`),
  );
}

/** Makes a reader of a finite number of the range. */
export function number(min: number, max: number): Reader<number> {
  return scalar((input) =>
    Number.isFinite(input)
      ? within(input as number, min, max)
      : new Broken('must be a number', `write a number ${rangeText(min, max)}`),
  );
}

export const boolean: Reader<boolean> = scalar((input) =>
  typeof input === 'boolean' ? input : new Broken('must be true or false', 'write true or false'),
);

/** Makes a reader of one of a few words. */
export function choice<const T extends string>(...words: readonly T[]): Reader<T> {
  return scalar((input) =>
    words.includes(input as T) ? (input as T) : new Broken(`must be one of ${words.join(', ')}`),
  );
}

/** Writes a range as messages show it: `1–9`, `≥ 1`. */
export function rangeText(min: number, max: number): string {
  return max === Number.MAX_SAFE_INTEGER ? `≥ ${min}` : `${min}–${max}`;
}

function within(value: number, min: number, max: number): number | Broken {
  if (value >= min && value <= max) return value;
  const remedy = value < min ? `write ${min} or more` : `write ${max} or less`;
  return new Broken(`must be ${rangeText(min, max)}`, remedy);
}
