import { basename, dirname, join } from 'node:path';
import { isDatedName, isLeftOut, isRotatedName } from './rotated-names.ts';

/** The log to which a file name belongs. */
export interface Owner {
  /** The live path. */
  readonly log: string;
  readonly live: boolean;
  readonly dated: boolean;
}

/** The characters that may separate a live name from what rotation adds. */
const MARKS = '._-';

/** The live names, and the logs to which the names next to them belong. */
export class Owners {
  readonly #live = new Set<string>();
  /** Live names by directory, whether or not their files exist. */
  readonly #bases = new Map<string, Set<string>>();

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
    const bases = this.#bases.get(directory) ?? new Set();
    this.#bases.set(directory, bases.add(basename(path)));
  }

  get directories(): Iterable<string> {
    return this.#bases.keys();
  }

  /** Returns the log of a name: its own, that of which it is a rotated sibling, or none. */
  ownerOf(name: string, directory: string): Owner | undefined {
    const bases = this.#bases.get(directory);
    if (!bases || isLeftOut(name)) return undefined;
    for (let i = 1; i < name.length; i++) {
      if (!MARKS.includes(name[i]!)) continue;
      const base = name.slice(0, i);
      if (bases.has(base) && isRotatedName(name, base)) {
        return { log: join(directory, base), live: false, dated: false };
      }
    }
    const path = join(directory, name);
    if (this.#live.has(path)) return { log: path, live: true, dated: false };
    const extension = name.lastIndexOf('.');
    for (let i = 1; i < extension; i++) {
      if (!MARKS.includes(name[i]!)) continue;
      const base = name.slice(0, i) + name.slice(extension);
      if (bases.has(base) && isDatedName(name, base)) {
        return { log: join(directory, base), live: false, dated: true };
      }
    }
    return undefined;
  }
}
