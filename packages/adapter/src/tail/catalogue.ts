import { fstatSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Log } from '@sidekit/core';
import type { SavedGeneration } from '../state/state-file.ts';
import {
  type Candidate,
  type FileStats,
  factsOf,
  fileIdentity,
  oldestFirst,
} from './candidates.ts';
import { Continuations } from './continuations.ts';
import { DirectoryCache } from './directory-cache.ts';
import type { Generation } from './generation.ts';
import type { Globs } from './glob.ts';
import { KnownFiles } from './known-files.ts';
import { LogFiles } from './log-files.ts';
import { Logs, type TailedLog } from './logs.ts';
import { NewGenerations } from './new-generations.ts';
import { Owners } from './owners.ts';
import { Undecided } from './undecided.ts';
import { UnknownFiles } from './unknown-files.ts';
import type { Unpacker } from './unpacker.ts';

export interface CatalogueOptions {
  readonly globs: Globs;
  readonly startAt: (log: string) => 'beginning' | 'end';
  /** Whether only the adapter removes files of a log, once they are delivered. */
  readonly isOwn: (log: string) => boolean;
  /** There is no state of an earlier start. */
  readonly firstStart: boolean;
  /** Other directories of rotated files; relative to those of the logs. */
  readonly rotatedDirectories: readonly string[];
  readonly unpacker: Unpacker;
  /** The number of log files that may be open at a time. */
  readonly mostOpenFiles: number;
  /** How long a generation whose file cannot be found is waited for, in milliseconds. */
  readonly forgetAfter: number;
  /** The names of the outputs. */
  readonly outputs: readonly string[];
  readonly log: Log;
  readonly now: () => number;
  /** Milliseconds since the epoch, as the times of files are. */
  readonly wall: () => number;
  readonly onEvent: (event: 'generation' | 'rotation' | 'truncation' | 'lostFile') => void;
}

/** How long a file must be missing, in milliseconds: names change between listing and stat. */
const MISSING = 60_000;

/** Tracks which file is which generation of which log, however files are renamed or copied. */
export class Catalogue {
  readonly #options: CatalogueOptions;
  readonly #logs = new Logs();
  readonly #owners: Owners;
  readonly #files: LogFiles;
  readonly #newGenerations: NewGenerations;
  readonly #continuations: Continuations;
  readonly #known: KnownFiles;
  readonly #unknown: UnknownFiles;
  readonly #cache: DirectoryCache;
  #scanned = false;
  readonly #examined = new Set<string>();
  readonly #undecided = new Undecided();

  constructor(options: CatalogueOptions) {
    this.#options = options;
    this.#owners = new Owners(options.rotatedDirectories);
    this.#files = new LogFiles(this.#logs, options);
    this.#newGenerations = new NewGenerations(this.#logs, options);
    const parts = { ...options, logs: this.#logs, newGenerations: this.#newGenerations };
    this.#continuations = new Continuations(parts);
    const rest = { ...parts, files: this.#files, continuations: this.#continuations };
    this.#known = new KnownFiles({ ...rest, undecided: this.#undecided });
    this.#unknown = new UnknownFiles({ ...rest, owners: this.#owners });
    this.#cache = new DirectoryCache(options);
  }

  get directories(): Iterable<string> {
    return this.#cache.directories;
  }

  get logs(): ReadonlyMap<string, TailedLog> {
    return this.#logs.byPath;
  }

  /** The number of files that cannot be opened and directories that cannot be listed. */
  get unreadable(): number {
    return this.#files.unreadable.size + this.#cache.unreadable.size;
  }

  generations(): Iterable<Generation> {
    return this.#logs.generations();
  }

  restore(saved: readonly SavedGeneration[]): void {
    this.#logs.restore(saved, this.#options.now(), this.#options.outputs);
  }

  /** Finds files that appeared, disappeared or were renamed. */
  discover(): void {
    const { globs } = this.#options;
    this.#files.beginScan();
    const changed = this.#cache.refresh();
    if (this.#scanned && changed.size === 0 && this.#undecided.isEmpty) return;
    this.#scanned = true;
    const { paths, walked } = globs.find(this.#cache);
    this.#owners.clear();
    for (const path of paths) this.#owners.add(path);
    for (const path of this.#logs.byPath.keys()) this.#owners.add(path);
    for (const path of globs.literals) this.#owners.expect(path);
    const directories = [...this.#owners.directories];
    for (const directory of directories) {
      const undecided = this.#undecided.of(directory);
      if (changed.has(directory) || !this.#examined.has(directory) || undecided === 'all') {
        this.#examine(directory);
      } else if (undecided) {
        this.#decide(directory, undecided);
      }
    }
    this.#cache.retain(new Set([...directories, ...walked]));
    this.#newGenerations.first = false;
  }

  /** Handles a truncated or replaced file: finds the copy that holds the rest, if there is one. */
  truncated(generation: Generation): void {
    this.#options.onEvent('truncation');
    this.#options.log.info('a file was truncated', {
      event: 'truncated',
      path: generation.path,
    });
    const { fd, rotatedAt, path, inode, birth, mtime } = generation;
    generation.fd = undefined;
    this.#continuations.detach(generation);
    if (fd !== undefined) {
      // The file may have no name any more, so its descriptor is kept.
      const { size } = fstatSync(fd);
      const log = this.#logs.of(generation.log);
      const next = this.#newGenerations.begin(log, { fd, path, inode, birth, size, mtime });
      next.rotatedAt = rotatedAt;
    }
    const directory = dirname(generation.log);
    this.#cache.relist(directory);
    this.#examine(directory);
    // New names there are matched against the globs by the next scan.
    this.#undecided.leaveAll(directory);
  }

  /** Whether a compressed file of a log, or of any, is being unpacked. */
  isBusy(log?: string): boolean {
    return this.#options.unpacker.isBusy(log);
  }

  /** Forgets a generation whose file is gone. */
  forget(generation: Generation): void {
    const { saved, ended, log, detached, size } = generation;
    const isUnread = detached && generation.cursors.some(({ read }) => read.offset < size);
    if ((saved ? !ended : isUnread) && !this.#options.isOwn(log)) {
      this.#options.onEvent('lostFile');
      this.#options.log.warn(
        saved
          ? 'a file was not found after a restart: what was unread of it is lost'
          : 'no copy of a truncated file was found: what was unread of it is lost',
        { event: 'file_lost', path: generation.path },
      );
    }
    this.#logs.forget(generation);
  }

  /** Returns the generation that a file belongs to. */
  generationOf({ inode, birth }: FileStats): Generation | undefined {
    const known = this.#logs.withInode(inode);
    return known && known.birth === birth ? known : undefined;
  }

  /** Whether a file is known, and is not read. */
  isIgnored(stats: FileStats): boolean {
    return this.#newGenerations.isIgnored(stats);
  }

  /** Whether a file without a name was missing long enough to be forgotten. */
  isGone({ missingSince, detached, saved }: Generation): boolean {
    if (missingSince === undefined) return false;
    const patience = detached && !saved ? this.#options.forgetAfter : MISSING;
    return this.#options.now() - missingSince >= patience;
  }

  /** Decides which file of a directory is which generation. */
  #examine(directory: string): void {
    this.#examined.add(directory);
    this.#undecided.clear(directory);
    const restoring = this.#logs.inDirectory(directory).some(({ saved }) => saved);
    const present = new Set<string>();
    const liveInodes = new Map<string, string>();
    const candidates: Candidate[] = [];
    const entries = this.#cache.list(directory);
    this.#files.retain(directory, entries);
    for (const { name } of entries) {
      const owner = this.#owners.ownerOf(name, directory);
      if (!owner && !restoring) continue;
      const path = join(directory, name);
      const stats = factsOf(() => statSync(path, { bigint: true, throwIfNoEntry: false }));
      if (!stats) continue;
      present.add(fileIdentity(stats));
      if (owner?.live) liveInodes.set(path, stats.inode);
      if (owner?.compressed) {
        if (this.#known.isUnpacked(path, stats)) continue;
        if (!this.#newGenerations.isIgnored(stats)) candidates.push({ ...owner, path, stats });
        continue;
      }
      const known = this.#logs.withInode(stats.inode);
      if (known && this.#known.settle(known, path, stats)) continue;
      if (owner && !this.#newGenerations.isIgnored(stats))
        candidates.push({ ...owner, path, stats });
    }
    for (const generation of this.#logs.inDirectory(directory)) {
      this.#known.follow(generation, directory, liveInodes.get(generation.log), present);
    }
    this.#take(directory, candidates);
  }

  /** Decides about files that the last scan left undecided; the names there have not changed. */
  #decide(directory: string, names: ReadonlySet<string>): void {
    this.#undecided.clear(directory);
    const candidates: Candidate[] = [];
    for (const name of names) {
      const owner = this.#owners.ownerOf(name, directory);
      if (!owner) continue;
      const path = join(directory, name);
      const stats = factsOf(() => statSync(path, { bigint: true, throwIfNoEntry: false }));
      if (!stats || this.#newGenerations.isIgnored(stats)) continue;
      if (owner.compressed ? this.#known.isUnpacked(path, stats) : this.generationOf(stats))
        continue;
      candidates.push({ ...owner, path, stats });
    }
    this.#take(directory, candidates);
  }

  #take(directory: string, candidates: Candidate[]): void {
    candidates.sort(oldestFirst);
    for (const candidate of candidates) {
      if (!this.#unknown.take(candidate))
        this.#undecided.leave(directory, basename(candidate.path));
    }
    this.#options.unpacker.dropUnasked(directory);
  }

  /** Notices that a file which was closed to make room for others has changed. */
  checkClosed(generation: Generation): void {
    const { path, inode, read } = generation;
    const stats = factsOf(() => statSync(path, { bigint: true, throwIfNoEntry: false }));
    if (stats?.inode === inode && stats.size === read.offset) return;
    this.#undecided.leaveAll(dirname(path));
    this.#undecided.leaveAll(dirname(generation.log));
  }
}
