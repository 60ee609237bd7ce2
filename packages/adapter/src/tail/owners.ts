import { basename, dirname, join } from 'node:path';
import { isDatedName, isLeftOut, isRotatedName } from './rotated-names.ts';

/** Whose file a name is. */
export interface Owner {
  /** The live path. */
  readonly log: string;
  readonly live: boolean;
  readonly dated: boolean;
}

/** What may stand between a live name and what rotation adds. */
const MARKS = '._-';

/** The live names, and whose the names beside them are. */
export class Owners {
  readonly #live = new Set<string>();
  /** By directory: live names, whether or not their files exist at this moment. */
  readonly #bases = new Map<string, Set<string>>();

  clear(): void {
    this.#live.clear();
    this.#bases.clear();
  }

  /** A live path: its file is a log, and those beside it may be its rotated siblings. */
  add(path: string): void {
    if (this.#live.has(path)) return;
    this.#live.add(path);
    this.expect(path);
  }

  /** A path whose file may come, or is a link that is followed elsewhere. */
  expect(path: string): void {
    const directory = dirname(path);
    const bases = this.#bases.get(directory) ?? new Set();
    this.#bases.set(directory, bases.add(basename(path)));
  }

  get directories(): Iterable<string> {
    return this.#bases.keys();
  }

  /** Its own log's, a rotated sibling of another's, or nobody's. */
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
