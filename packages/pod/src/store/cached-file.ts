import { closeSync, fstatSync, openSync, readFileSync, readSync, statSync } from 'node:fs';

/**
 * A JSON file that its writer replaces as a whole, read again only after it was replaced: a command
 * that waits for a Pod checks it many times a second.
 */
export class CachedJson<T> {
  readonly #path: string;
  #identity = '';
  #value: T | undefined;

  constructor(path: string) {
    this.#path = path;
  }

  /** Returns the current content; undefined if there is no file. */
  read(): T | undefined {
    const found = statSync(this.#path, { throwIfNoEntry: false, bigint: true });
    const identity = found ? `${found.ino} ${found.mtimeNs} ${found.size}` : '';
    if (identity === this.#identity) return this.#value;
    try {
      this.#value = found && JSON.parse(readFileSync(this.#path, 'utf8'));
    } catch (error) {
      // Removed between the two calls.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      this.#value = undefined;
    }
    this.#identity = identity;
    return this.#value;
  }
}

/** A file of JSON lines that only grows: each line is read once. */
export class GrowingLines<T> {
  readonly #path: string;
  #inode = 0;
  #offset = 0;
  #rest = '';
  #lines: T[] = [];

  constructor(path: string) {
    this.#path = path;
  }

  /** All whole lines so far. */
  read(): readonly T[] {
    const found = statSync(this.#path, { throwIfNoEntry: false });
    if (found && found.ino === this.#inode && found.size === this.#offset) return this.#lines;
    if (!found) return [];
    const file = openSync(this.#path, 'r');
    try {
      const { ino, size } = fstatSync(file);
      if (ino !== this.#inode || size < this.#offset) this.#restart(ino);
      const added = Buffer.alloc(size - this.#offset);
      const length = readSync(file, added, 0, added.length, this.#offset);
      this.#offset += length;
      // A writer appends whole lines of ASCII or UTF-8: a character is never cut at the end of one.
      const lines = (this.#rest + added.toString('utf8', 0, length)).split('\n');
      this.#rest = lines.pop() ?? '';
      this.#lines = [...this.#lines, ...lines.filter(Boolean).map((line) => JSON.parse(line))];
      return this.#lines;
    } finally {
      closeSync(file);
    }
  }

  #restart(inode: number) {
    this.#inode = inode;
    this.#offset = 0;
    this.#rest = '';
    this.#lines = [];
  }
}
