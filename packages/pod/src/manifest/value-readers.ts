import { parseQuantity } from './quantity.ts';
import { mapped, type Reader } from './reader.ts';
import { portName } from './rules.ts';
import { integer, text } from './scalars.ts';

/** A quantity, kept as it was written. */
export const quantity: Reader<string | number> = (value, path, report) => {
  if (typeof value !== 'string' && typeof value !== 'number') {
    report(path, 'must be a quantity, such as 500m or 64Mi');
    return undefined;
  }
  const read: Reader<string | number> = (given) => given as string | number;
  return mapped(read, (given) => {
    if (parseQuantity(given) < 0) throw new Error('must not be negative');
    return given;
  })(value, path, report);
};

/** A port by number, or by the name of a container's port. */
export const portReference: Reader<number | string> = (value, path, report) => {
  if (typeof value === 'number') return integer(1, 65_535)(value, path, report);
  return text(portName)(value, path, report);
};
