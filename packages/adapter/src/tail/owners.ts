import { basename, dirname, join, resolve } from 'node:path';
import {
  hasDate,
  isDatedName,
  isLeftOut,
  isRotatedName,
  mayBeAdded,
  uncompressedName,
} from './rotated-names.ts';

/** The log to which a file name belongs. */
export interface Owner {
  /** The live path. */
  readonly log: string;
  readonly live: boolean;
  /** Only a date or number inside its name says that it was rotated. */
  readonly dated: boolean;
  readonly compressed: boolean;
  /** The log of which a live file may be a copy: `app-20261121.log` next to `app.log`. */
  readonly original: string | undefined;
}

/** The live names, and the logs to which the names next to them belong. */
export class Owners {
  readonly #live = new Set<string>();
  /** By directory: live names, whether or not their files exist, and their paths. */
  readonly #bases = new Map<string, Map<string, string>>();
  readonly #rotatedDirectories: readonly string[];

  /** @param rotatedDirectories other directories of rotated files; relative to those of the logs. */
  constructor(rotatedDirectories: readonly string[]) {
    this.#rotatedDirectories = rotatedDirectories;
  }

  clear(): void {
    this.#live.clear();
    this.#bases.clear();
  }

  /** Adds a live path: its file is a log, and files next to it may be its rotated siblings. */
  add(path: string): void {
    if (this.#live.has(path)) return;
    this.#live.add(path);
    this.expect(path);
  }

  /** Adds a path whose file may appear later, or which is a link to another directory. */
  expect(path: string): void {
    const directory = dirname(path);
    for (const one of [directory, ...this.#rotatedDirectories]) {
      const full = resolve(directory, one);
      const bases = this.#bases.get(full) ?? new Map<string, string>();
      // Two logs of one name may share a directory of rotated files: the first one has them.
      if (!bases.has(basename(path)) || full === directory) bases.set(basename(path), path);
      this.#bases.set(full, bases);
    }
  }

  get directories(): Iterable<string> {
    return this.#bases.keys();
  }

  /** Returns the log of a name: its own, that of which it is a rotated sibling, or none. */
  ownerOf(name: string, directory: string): Owner | undefined {
    const bases = this.#bases.get(directory);
    if (!bases) return undefined;
    const plain = uncompressedName(name);
    const compressed = plain !== undefined;
    const stem = plain ?? name;
    if (isLeftOut(stem)) return undefined;
    const rotated = rotatedBase(stem, bases, compressed);
    if (rotated !== undefined) {
      return { log: rotated, live: false, dated: false, compressed, original: undefined };
    }
    const path = join(directory, name);
    const dated = datedBase(stem, bases);
    if (this.#live.has(path)) {
      return { log: path, live: true, dated: false, compressed: false, original: dated };
    }
    if (dated === undefined) return undefined;
    return { log: dated, live: false, dated: true, compressed, original: undefined };
  }
}

/** Finds the log of a name like `app.log.1`; a compressed file may have the live name itself. */
function rotatedBase(
  name: string,
  bases: ReadonlyMap<string, string>,
  compressed: boolean,
): string | undefined {
  if (compressed && bases.has(name)) return bases.get(name);
  for (let i = 1; i < name.length; i++) {
    if (!mayBeAdded(name, i)) continue;
    const base = name.slice(0, i);
    if (bases.has(base) && isRotatedName(name, base)) return bases.get(base);
  }
  return undefined;
}

/**
 * Finds the log of a name like `app-20261121.log`. Of `app-2.log` and `app.log` the former has
 * `app-2.1.log`; but a file with a date in its own name has no others.
 */
function datedBase(name: string, bases: ReadonlyMap<string, string>): string | undefined {
  const extension = name.lastIndexOf('.');
  let found: string | undefined;
  for (let i = extension - 1; i > 0; i--) {
    if (!mayBeAdded(name, i)) continue;
    const base = name.slice(0, i) + name.slice(extension);
    if (!bases.has(base) || !isDatedName(name, base)) continue;
    found = bases.get(base);
    if (!hasDate(base)) break;
  }
  return found;
}
