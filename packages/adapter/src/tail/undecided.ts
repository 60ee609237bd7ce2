/** Directories in which a scan left something undecided, and the names in question. */
export class Undecided {
  readonly #names = new Map<string, Set<string> | 'all'>();

  get isEmpty(): boolean {
    return this.#names.size === 0;
  }

  /** Leaves a name to the next scan. */
  leave(directory: string, name: string): void {
    const names = this.#names.get(directory) ?? new Set();
    if (names === 'all') return;
    names.add(name);
    this.#names.set(directory, names);
  }

  /** Leaves all names of a directory to the next scan. */
  leaveAll(directory: string): void {
    this.#names.set(directory, 'all');
  }

  of(directory: string): ReadonlySet<string> | 'all' | undefined {
    return this.#names.get(directory);
  }

  /** Forgets what was left in a directory, since it is decided about now. */
  clear(directory: string): void {
    this.#names.delete(directory);
  }
}
