import { fstatSync } from 'node:fs';
import type { Catalogue } from './catalogue.ts';
import type { Generation } from './generation.ts';

export interface FileCheckOptions {
  readonly rotateWait: number;
  readonly now: () => number;
}

/** A rotated file that its writer has left is checked this often, in milliseconds. */
const RECHECK = 10_000;

/** Checks whether the files of the catalogue have grown or were truncated. */
export class FileChecks {
  readonly #catalogue: Catalogue;
  readonly #options: FileCheckOptions;

  constructor(catalogue: Catalogue, options: FileCheckOptions) {
    this.#catalogue = catalogue;
    this.#options = options;
  }

  /** @param all also those that would be checked later. */
  run(all: boolean): void {
    for (const generation of [...this.#catalogue.generations()]) {
      if (all || this.#isDue(generation)) this.#check(generation);
    }
  }

  /** Whether a file is to be checked: there may be many rotated ones that wait for an output. */
  #isDue({ rotatedAt, grownAt, checkedAt }: Generation): boolean {
    if (rotatedAt === undefined) return true;
    const at = this.#options.now();
    const wasLeft = at - Math.max(rotatedAt, grownAt) >= this.#options.rotateWait;
    return !wasLeft || at - checkedAt >= RECHECK;
  }

  #check(generation: Generation): void {
    const { fd } = generation;
    const at = this.#options.now();
    generation.checkedAt = at;
    generation.sizeBefore = generation.size;
    if (fd === undefined) {
      if (generation.isClosedForRoom) this.#catalogue.checkClosed(generation);
      return;
    }
    const stats = fstatSync(fd);
    const { size, mtimeMs } = stats;
    if (stats.nlink === 0) generation.unlinkedAt ??= at;
    const shrunk = size < generation.size && generation.clamp === undefined;
    if (!shrunk && size === generation.size && Math.trunc(mtimeMs) === generation.mtime) return;
    if (shrunk || (generation.clamp === undefined && !generation.verify(fd))) {
      this.#catalogue.truncated(generation);
      return;
    }
    if (size > generation.size) {
      generation.grownAt = at;
      generation.growth.add(size - generation.size);
    }
    generation.size = Math.max(size, generation.size);
    generation.mtime = Math.max(Math.trunc(mtimeMs), generation.mtime);
  }
}
