import { Broken, integer, map, type Reader, scalar, text } from '@sidekit/core/schema';
import { parseQuantity } from './quantity.ts';
import { annotationKey, labelValue, portName, qualifiedName } from './rules.ts';

/** Makes a reader of a whole number of 32 bits, as most numbers of the API are. */
export function int32(min: number, max: number = 2 ** 31 - 1): Reader<number> {
  return integer(min, max);
}

/** Reads a quantity that is not negative, and keeps it as it was written. */
export const quantity: Reader<string | number> = scalar((input) => {
  if (typeof input !== 'string' && typeof input !== 'number') {
    return new Broken('must be a quantity, such as 500m or 64Mi');
  }
  try {
    return parseQuantity(input) < 0 ? new Broken('must not be negative') : input;
  } catch (error) {
    return new Broken((error as Error).message);
  }
});

/** Reads a port by number, or by the name of a container's port. */
export const portReference: Reader<number | string> = (value, path, report) =>
  typeof value === 'number'
    ? int32(1, 65_535)(value, path, report)
    : text(portName)(value, path, report);

/** Reads a text of a map, in which null is an empty one, as Go decodes it. */
export function textOfMap(rule?: (value: string) => Broken | undefined): Reader<string> {
  return (value, path, report) => text(rule)(value ?? '', path, report);
}

/** Reads labels, whose keys are qualified names. */
export const labels = map(textOfMap(labelValue), qualifiedName);

/** Reads annotations, at most 256 KiB together. */
export const annotations: Reader<Readonly<Record<string, string>>> = (value, path, report) => {
  const read = map(textOfMap(), annotationKey)(value, path, report);
  const size = Object.entries(read ?? {})
    .flat()
    .join('').length;
  if (size <= 256 * 1024) return read;
  report(path, { rule: `must have at most 256 KiB together, not ${Math.ceil(size / 1024)} KiB` });
  return undefined;
};

/** Names the fields that were given. */
export function given(values: Readonly<Record<string, unknown>>): string[] {
  return Object.keys(values).filter((key) => values[key] !== undefined);
}
