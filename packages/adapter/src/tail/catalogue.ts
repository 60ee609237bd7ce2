import { closeSync, fstatSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Log } from '@sidekit/core';
import type { SavedGeneration } from '../state/state-file.ts';
import { readAt } from './bytes.ts';
import {
  type Candidate,
  type FileStats,
  factsOf,
  fileIdentity,
  oldestFirst,
} from './candidates.ts';
import { isCopyOf, isUnreadCopyOf } from './copies.ts';
import { makeRoom } from './descriptors.ts';
import { DirectoryCache } from './directory-cache.ts';
import type { FileFacts, Generation } from './generation.ts';
import type { Globs } from './glob.ts';
import { LogFiles } from './log-files.ts';
import { Logs, type TailedLog } from './logs.ts';
import { NewGenerations, SLACK, wasLeftByItsWriter } from './new-generations.ts';
import { Owners } from './owners.ts';
import { isCompressed } from './rotated-names.ts';
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
  readonly #cache: DirectoryCache;
  #scanned = false;
  readonly #examined = new Set<string>();
  /** Directories in which something was left undecided by the last scan. */
  readonly #unsettled = new Set<string>();

  constructor(options: CatalogueOptions) {
    this.#options = options;
    this.#owners = new Owners(options.rotatedDirectories);
    this.#files = new LogFiles(options.log);
    this.#newGenerations = new NewGenerations(this.#logs, options);
    this.#cache = new DirectoryCache(options.log, options.now);
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
    const changed = this.#cache.refresh();
    if (this.#scanned && changed.size === 0 && this.#unsettled.size === 0) return;
    this.#scanned = true;
    const { paths, walked } = globs.find(this.#cache);
    this.#owners.clear();
    for (const path of paths) this.#owners.add(path);
    for (const path of this.#logs.byPath.keys()) this.#owners.add(path);
    for (const path of globs.literals) this.#owners.expect(path);
    const directories = [...this.#owners.directories];
    for (const directory of directories) {
      const again = changed.has(directory) || this.#unsettled.has(directory);
      if (again || !this.#examined.has(directory)) this.#examine(directory);
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
    this.#detach(generation);
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
    this.#unsettled.add(directory);
  }

  /** Whether a compressed file of a log, or of any, is being unpacked. */
  isBusy(log?: string): boolean {
    return this.#options.unpacker.isBusy(log);
  }

  /** Forgets a generation whose file is gone. */
  forget(generation: Generation): void {
    const { saved, ended, log } = generation;
    if (saved && !ended && !this.#options.isOwn(log)) {
      this.#options.onEvent('lostFile');
      this.#options.log.warn(
        'a file was not found after a restart: what was unread of it is lost',
        {
          event: 'file_lost',
          path: generation.path,
        },
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
    this.#unsettled.delete(directory);
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
        if (this.#isUnpacked(path, stats)) continue;
        if (!this.#newGenerations.isIgnored(stats)) candidates.push({ ...owner, path, stats });
        continue;
      }
      const known = this.#logs.withInode(stats.inode);
      if (known && this.#settle(known, path, stats)) continue;
      if (owner && !this.#newGenerations.isIgnored(stats))
        candidates.push({ ...owner, path, stats });
    }
    for (const generation of this.#logs.inDirectory(directory)) {
      this.#follow(generation, directory, liveInodes.get(generation.log), present);
    }
    candidates.sort(oldestFirst);
    for (const candidate of candidates) this.#take(candidate, directory);
    this.#options.unpacker.dropUnasked(directory);
  }

  /** Whether a known inode is still the same file; if not, its generation is detached. */
  #settle(known: Generation, path: string, stats: FileStats): boolean {
    const sameBirth = known.birth === 0n || stats.birth === 0n || known.birth === stats.birth;
    known.missingSince = undefined;
    if (known.fd !== undefined) {
      // An inode cannot be given to another file while its descriptor is held.
      known.path = path;
      return true;
    }
    const finished = stats.size === (known.clamp ?? known.read).offset;
    if (sameBirth && finished && (!known.saved || path !== known.log)) {
      known.ended ||= path !== known.log;
      known.path = path;
      known.rotatedAt ??= this.#options.now();
      return true;
    }
    const file = sameBirth ? this.#openFile(path, stats.inode) : undefined;
    if (sameBirth && !file) return true;
    if (file && file.size >= known.read.offset && known.resume(file)) {
      known.path = path;
      return true;
    }
    if (file) closeSync(file.fd);
    if (known.saved) this.#options.onEvent('truncation');
    this.#detach(known);
    return false;
  }

  /** Notices that the live name moved to another file, or that no name is left. */
  #follow(
    generation: Generation,
    directory: string,
    liveInode: string | undefined,
    present: ReadonlySet<string>,
  ): void {
    const now = this.#options.now();
    const isHere = dirname(generation.path) === directory;
    if (isHere && !present.has(fileIdentity(generation))) generation.missingSince ??= now;
    if (generation.saved || generation.detached || dirname(generation.log) !== directory) return;
    if (generation.inode === liveInode) {
      generation.rotatedAt = undefined;
    } else if (generation.rotatedAt === undefined) {
      generation.rotatedAt = now;
      this.#options.onEvent('rotation');
    }
  }

  #detach(generation: Generation): void {
    if (generation.fd !== undefined) closeSync(generation.fd);
    generation.fd = undefined;
    generation.detached = true;
    generation.missingSince = this.#options.now();
    this.#logs.release(generation);
    const { copy } = generation;
    generation.copy = undefined;
    if (copy) this.#continueIn(generation, { ...copy, size: fstatSync(copy.fd).size });
  }

  /** Classifies an unknown file: a copy of a known generation, an old file, or a new generation. */
  #take(candidate: Candidate, directory: string): void {
    const { path, log: owner, live, dated, compressed, original, stats } = candidate;
    if (compressed && !this.#mayBeUnread(candidate)) {
      this.#newGenerations.ignore(stats);
      return;
    }
    const file = compressed ? this.#unpack(candidate) : this.#openFile(path, stats.inode);
    if (!file) return;
    if (!compressed && isCompressed(readAt(file.fd, 0, 8))) {
      this.#leave(file);
      return;
    }
    const unpacked = compressed ? this.generationOf(stats) : undefined;
    if (unpacked?.saved) {
      // It was being read when the adapter was stopped.
      if (unpacked.resume(file)) unpacked.rotatedAt = this.#options.now();
      else this.#leave(file);
      return;
    }
    if (this.#isCopy(file, candidate)) return;
    const { now } = this.#options;
    if (original !== undefined && this.#mayBecomeCopy(file, original)) {
      closeSync(file.fd);
      this.#unsettled.add(directory);
      return;
    }
    if (
      dated &&
      !compressed &&
      !wasLeftByItsWriter(file, owner, now(), this.#logs.byPath.has(owner))
    ) {
      // A copy that is still being written may be recognised later.
      if (now() - file.mtime >= SLACK) this.#leave(file);
      else {
        closeSync(file.fd);
        this.#unsettled.add(directory);
      }
      return;
    }
    const log = this.#logs.of(owner);
    this.#owners.add(owner);
    if (!live) {
      if (file.size === 0 && now() - file.mtime < SLACK) {
        // It may be a copy that has only just been started.
        closeSync(file.fd);
        this.#unsettled.add(directory);
        return;
      }
      if (this.#newGenerations.isHistory(file, log)) {
        this.#leave(file);
        return;
      }
    }
    const generation = this.#newGenerations.begin(log, file);
    if (live) return;
    generation.rotatedAt = now();
    // It is older than the file that its writer has open now.
    log.generations.pop();
    const current = log.generations.findIndex(
      (other) => other.live && !other.saved && !other.finished,
    );
    log.generations.splice(current === -1 ? log.generations.length : current, 0, generation);
  }

  /** Whether a file is a copy of a generation of a log; takes it as such. */
  #isCopy(file: FileFacts, { log: own, live, compressed, original: other }: Candidate): boolean {
    const owner = live ? other : own;
    // Live and compressed files are read anyway; but the rest of a lost file keeps its key.
    const orUnread = (one: Generation) => !live && (!compressed || isLost(one));
    const log = owner === undefined ? undefined : this.#logs.byPath.get(owner);
    // A copy that is read as a log of its own may be compressed under the name of another.
    const others = compressed ? this.#logs.inDirectory(dirname(file.path)) : [];
    const original = [...others, ...(log?.generations ?? [])].findLast(
      (one) =>
        (one.detached ||
          one.live ||
          one.finished ||
          isLost(one) ||
          one.currentSize === file.size) &&
        (isCopyOf(file, one) || (orUnread(one) && isUnreadCopyOf(file, one))),
    );
    if (!original) return false;
    const complete = original.detached || isLost(original) || file.size >= original.size;
    if (live && !complete) return false;
    if (original.finished) this.#leave(file);
    else this.#takeCopy(original, file);
    return true;
  }

  /** Whether a live file that has the name of a copy is, so far, the beginning of the original. */
  #mayBecomeCopy(file: FileFacts, owner: string): boolean {
    if (this.#options.now() - file.mtime >= SLACK) return false;
    const log = this.#logs.byPath.get(owner);
    if (!log) return false;
    return file.size === 0 || log.generations.some((one) => isCopyOf(file, one));
  }

  /** Whether a compressed file may hold what was not read: old ones are not unpacked at all. */
  #mayBeUnread({ log: owner, stats }: Candidate): boolean {
    const log = this.#logs.byPath.get(owner);
    if (!log || this.#newGenerations.first) return false;
    const mayGoOn = log.generations.filter((one) => !one.finished && (one.live || isLost(one)));
    // One that was created and compressed between two scans is newer than all others.
    const oldest =
      mayGoOn.length > 0
        ? Math.min(...mayGoOn.map(({ mtime }) => mtime))
        : Math.max(...log.generations.map(({ mtime }) => mtime));
    return log.generations.length > 0 && stats.mtime >= oldest - SLACK;
  }

  /** Whether a compressed file is that in which a generation continued. */
  #isUnpacked(path: string, { inode, birth }: FileStats): boolean {
    const known = this.#logs.withInode(inode);
    if (known === undefined || known.birth !== birth) return false;
    known.path = path;
    known.missingSince = undefined;
    return known.saved === undefined;
  }

  #unpack({ path, log, stats }: Candidate): FileFacts | undefined {
    const file = this.#options.unpacker.open(path, log, stats);
    if (file === 'pending') this.#unsettled.add(dirname(path));
    else if (file === 'failed') this.#newGenerations.ignore(stats);
    else return file;
    return undefined;
  }

  #takeCopy(original: Generation, file: FileFacts): void {
    // If the original is gone, only the copy holds the rest.
    if (original.detached || isLost(original)) {
      this.#continueIn(original, file);
      return;
    }
    original.dropCopy();
    original.copy = file;
    this.#newGenerations.ignore(file);
  }

  /** Continues a generation in the copy of its file. */
  #continueIn(generation: Generation, file: FileFacts): void {
    this.#newGenerations.unignore(file);
    const { inode } = generation;
    if (!generation.continueIn(file, this.#options.now())) {
      closeSync(file.fd);
      return;
    }
    this.#logs.release(generation, inode);
    this.#logs.claim(generation);
    this.#options.log.info('reading continues in the copy of a truncated file', {
      event: 'copy_found',
      path: file.path,
    });
  }

  /** Closes a file and ignores it from now on. */
  #leave(file: FileFacts): void {
    this.#newGenerations.ignore(file);
    closeSync(file.fd);
  }

  /** Notices that a file which was closed to make room for others has changed. */
  checkClosed(generation: Generation): void {
    const { path, inode, read } = generation;
    const stats = factsOf(() => statSync(path, { bigint: true, throwIfNoEntry: false }));
    if (stats?.inode === inode && stats.size === read.offset) return;
    this.#unsettled.add(dirname(path));
    this.#unsettled.add(dirname(generation.log));
  }

  #openFile(path: string, inode: string): FileFacts | undefined {
    const hasRoom = makeRoom(this.#logs.generations(), this.#options.mostOpenFiles);
    const file = hasRoom ? this.#files.open(path, inode) : undefined;
    if (!file) this.#unsettled.add(dirname(path));
    return file;
  }
}

/** Whether the file of a generation is gone, and no descriptor holds it. */
function isLost({ fd, missingSince }: Generation): boolean {
  return fd === undefined && missingSince !== undefined;
}
