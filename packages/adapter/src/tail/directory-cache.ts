import { type Dirent, readdirSync, type Stats, statSync } from 'node:fs';
import { errorText, type Log } from '@sidekit/core';

/**
 * A directory changed within this time, in milliseconds, may change again in the same clock tick: of
 * a file system that keeps whole seconds, and of one that keeps the kernel's ticks.
 */
const COARSE_TICK = 2_000;
const TICK = 100;
/** Every directory is listed again after this time, in milliseconds: remote clocks differ. */
const RELIST = 10_000;

interface Listing {
  readonly entries: readonly Dirent[];
  readonly mtime: number;
  readonly ino: number;
  /** When it was listed, by the clock of the directory's time and by the monotonic one. */
  readonly listed: number;
  readonly at: number;
}

interface DirectoryCacheOptions {
  readonly log: Log;
  readonly now: () => number;
  /** Milliseconds since the epoch, as the times of directories are. */
  readonly wall: () => number;
}

/**
 * Caches directory listings and reads one again only if the directory's time has changed: a quiet
 * directory costs one stat(2) per poll, however many files it holds.
 */
export class DirectoryCache {
  readonly #listings = new Map<string, Listing>();
  readonly #unreadable = new Set<string>();
  readonly #options: DirectoryCacheOptions;

  constructor(options: DirectoryCacheOptions) {
    this.#options = options;
  }

  /** The directories that exist and cannot be listed. */
  get unreadable(): ReadonlySet<string> {
    return this.#unreadable;
  }

  /** The directories that are watched; some may not exist yet. */
  get directories(): Iterable<string> {
    return this.#listings.keys();
  }

  /** Returns the entries of a directory as of the last refresh, and watches it from now on. */
  list(directory: string): readonly Dirent[] {
    return (this.#listings.get(directory) ?? this.#read(directory)).entries;
  }

  /** Brings all listings up to date and returns the directories that may have changed. */
  refresh(): Set<string> {
    const changed = new Set<string>();
    for (const [directory, known] of this.#listings) {
      const stats = this.#stat(directory);
      const now = this.#options.now();
      if (this.#unreadable.has(directory)) {
        // Permissions change without the time that is compared below.
        this.#read(directory, stats);
        if (!this.#unreadable.has(directory)) changed.add(directory);
        continue;
      }
      const same = stats
        ? stats.mtimeMs === known.mtime && stats.ino === known.ino
        : known.ino === 0;
      const tick = known.mtime % 1_000 === 0 ? COARSE_TICK : TICK;
      if (same && known.listed - known.mtime > tick && now - known.at < RELIST) continue;
      if (same && known.ino === 0) continue;
      this.#read(directory, stats);
      changed.add(directory);
    }
    return changed;
  }

  /** Lists one directory again. */
  relist(directory: string): void {
    this.#read(directory);
  }

  /** Stops watching the directories that are not in `keep`. */
  retain(keep: ReadonlySet<string>): void {
    for (const directory of this.#listings.keys()) {
      if (keep.has(directory)) continue;
      this.#listings.delete(directory);
      this.#unreadable.delete(directory);
    }
  }

  #read(directory: string, before = this.#stat(directory)): Listing {
    let entries: Dirent[] = [];
    if (before?.isDirectory()) {
      try {
        entries = readdirSync(directory, { withFileTypes: true });
        this.#unreadable.delete(directory);
      } catch (error) {
        this.#complain(directory, error);
      }
    }
    const listing = {
      entries,
      mtime: before?.mtimeMs ?? 0,
      ino: before?.ino ?? 0,
      listed: this.#options.wall(),
      at: this.#options.now(),
    };
    this.#listings.set(directory, listing);
    return listing;
  }

  #stat(directory: string): Stats | undefined {
    try {
      const stats = statSync(directory, { throwIfNoEntry: false });
      if (!stats) this.#unreadable.delete(directory);
      return stats;
    } catch (error) {
      this.#complain(directory, error);
      return undefined;
    }
  }

  /** Logs it once; the directory counts as empty until it can be listed. */
  #complain(directory: string, error: unknown): void {
    const gone = (error as NodeJS.ErrnoException).code === 'ENOENT';
    if (gone || this.#unreadable.has(directory)) return;
    this.#unreadable.add(directory);
    this.#options.log.error('a directory cannot be listed; trying again at every scan', {
      event: 'directory_unreadable',
      path: directory,
      error: errorText(error),
    });
  }
}
