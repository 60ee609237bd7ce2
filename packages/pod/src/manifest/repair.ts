import type { Path } from './reader.ts';
import { isObject } from './reader-faults.ts';

/** How often an object is mended: a bad value goes first, then what is missing is made up. */
const ROUNDS = 4;

type Value = Readonly<Record<string, unknown>>;

/**
 * Reads a faulty object as if its faults were mended, so that what it refers to can be checked in
 * the same go: bad values are left out, and missing ones made up. The result must never run.
 * @param read reads and tells each fault's path; undefined where there is one.
 * @returns what was read with the values left out, or undefined where nothing could be made of it.
 */
export function readMended<T>(
  value: Value,
  read: (value: Value, onFault: (path: Path) => void) => T | undefined,
): { readonly read: T; readonly leftOut: ReadonlySet<unknown> } | undefined {
  const mended = structuredClone(value);
  const leftOut = new Set<unknown>();
  for (let round = 0; round < ROUNDS; round++) {
    const paths: Path[] = [];
    const result = read(mended, (path) => paths.push(path));
    if (result !== undefined) return { read: result, leftOut };
    for (const [index, path] of paths.entries()) {
      const holder = path.slice(0, -1).reduce<unknown>(memberOf, mended);
      const key = path.at(-1);
      // An item that went would give those behind it another place than they have in the file.
      if (!isObject(holder) || key === undefined) continue;
      if (Object.hasOwn(holder, key)) {
        leftOut.add(holder[key]);
        delete holder[key];
      } else holder[key] = `made-up-${round}-${index}`;
    }
  }
  return undefined;
}

function memberOf(holder: unknown, key: string | number): unknown {
  return (holder as Record<string | number, unknown> | undefined)?.[key];
}
