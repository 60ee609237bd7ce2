import { type Dirent, readdirSync, type Stats, statSync } from 'node:fs';

/** A directory whose time is younger than this may change again within one tick of the clock. */
const UNSETTLED = 2_000;
/** Everything is listed anew this often, whatever the times say: remote clocks differ. */
const RELIST = 10_000;

interface Listing {
  readonly entries: readonly Dirent[];
  readonly mtime: number;
  readonly ino: number;
  readonly at: number;
}

/**
 * Listings of directories, read again only where the directory's time says that a name came,
 * went or moved: a quiet directory costs one stat(2) a poll, however many files it holds.
 */
export class DirectoryCache {
  readonly #listings = new Map<string, Listing>();
  readonly #now: () => number;

  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  /** The directories that are followed; some may not exist yet. */
  get directories(): Iterable<string> {
    return this.#listings.keys();
  }

  /** The entries of a directory as of the last refresh, and follows it from now on. */
  list(directory: string): readonly Dirent[] {
    return (this.#listings.get(directory) ?? this.#read(directory)).entries;
  }

  /** Brings all listings up to date and returns the directories that may have changed. */
  refresh(): Set<string> {
    const changed = new Set<string>();
    for (const [directory, known] of this.#listings) {
      const stats = statSync(directory, { throwIfNoEntry: false, bigint: false });
      const now = this.#now();
      const same = stats
        ? stats.mtimeMs === known.mtime && stats.ino === known.ino
        : known.ino === 0;
      if (same && known.at - known.mtime > UNSETTLED && now - known.at < RELIST) continue;
      if (same && known.ino === 0) continue;
      this.#read(directory, stats);
      changed.add(directory);
    }
    return changed;
  }

  /** Lists one directory anew. */
  relist(directory: string): void {
    this.#read(directory);
  }

  /** Stops following what `keep` does not hold. */
  retain(keep: ReadonlySet<string>): void {
    for (const directory of this.#listings.keys()) {
      if (!keep.has(directory)) this.#listings.delete(directory);
    }
  }

  #read(
    directory: string,
    before = statSync(directory, { throwIfNoEntry: false }) as Stats | undefined,
  ): Listing {
    let entries: Dirent[] = [];
    if (before?.isDirectory()) {
      try {
        entries = readdirSync(directory, { withFileTypes: true });
      } catch {
        // Unreadable or gone since: it counts as empty, and is tried again at the next relisting.
      }
    }
    const listing = {
      entries,
      mtime: before?.mtimeMs ?? 0,
      ino: before?.ino ?? 0,
      at: this.#now(),
    };
    this.#listings.set(directory, listing);
    return listing;
  }
}
