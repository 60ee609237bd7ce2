import { randomBytes } from 'node:crypto';
import { closeSync, constants, fstatSync, openSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { errorText, type Log } from '@sidekit/core';
import type { SavedGeneration } from '../state/state-file.ts';
import { HEAD_LENGTH, readAt, tailBefore } from './bytes.ts';
import { isCopyOf } from './copies.ts';
import { DirectoryCache } from './directory-cache.ts';
import { type FileFacts, Generation } from './generation.ts';
import type { Globs } from './glob.ts';
import { isCompressed, isDatedName, isLeftOut, isRotatedName } from './rotated-names.ts';

export interface CatalogueOptions {
  readonly globs: Globs;
  readonly startAt: 'beginning' | 'end';
  /** How long a generation whose file cannot be found is waited for, in milliseconds. */
  readonly forgetAfter: number;
  readonly log: Log;
  readonly now: () => number;
  readonly onEvent: (event: 'generation' | 'rotation' | 'truncation') => void;
}

/** One log as its writer sees it: a live name, and the generations behind it, oldest first. */
export interface TailedLog {
  readonly path: string;
  readonly generations: Generation[];
}

interface Candidate {
  readonly path: string;
  readonly log: string;
  readonly live: boolean;
  readonly dated: boolean;
  readonly stats: FileStats;
}

type FileStats = Omit<FileFacts, 'fd' | 'path'>;

/** Copies and renames of one instant may have times that differ by the clock's tick and more. */
const SLACK = 5_000;
/** Names come and go between listing and looking; this long, a look that found none is no proof. */
const MISSING = 60_000;

/** Knows which files are which generation of which log, however they are renamed or copied. */
export class Catalogue {
  readonly logs = new Map<string, TailedLog>();
  readonly #options: CatalogueOptions;
  readonly #cache: DirectoryCache;
  readonly #byInode = new Map<string, Generation>();
  /** Files that are not ours to read: history from before the first look, compressed ones. */
  readonly #ignored = new Set<string>();
  readonly #examined = new Set<string>();
  /** Directories in which something could not be settled at the last look. */
  readonly #unsettled = new Set<string>();
  readonly #complained = new Set<string>();
  #livePaths: ReadonlySet<string> = new Set();
  readonly #restored = new Set<string>();
  #first = true;

  constructor(options: CatalogueOptions) {
    this.#options = options;
    this.#cache = new DirectoryCache(options.now);
  }

  get directories(): Iterable<string> {
    return this.#cache.directories;
  }

  *generations(): Generator<Generation> {
    for (const log of this.logs.values()) yield* log.generations;
  }

  restore(saved: readonly SavedGeneration[]): void {
    for (const one of saved) {
      const generation = Generation.restore(one, this.#options.now());
      this.#log(one.log).generations.push(generation);
      const earlier = this.#byInode.get(one.inode);
      if (earlier) {
        // It was truncated before the end, and its copy, if there is one, was not found yet.
        earlier.detached = true;
        earlier.missingSince = this.#options.now();
      }
      this.#byInode.set(one.inode, generation);
      this.#restored.add(one.log);
    }
  }

  /** Looks for files that came, went, or changed their names. */
  discover(): void {
    const changed = this.#cache.refresh();
    if (!this.#first && changed.size === 0 && this.#unsettled.size === 0) return;
    const { paths, walked } = this.#options.globs.find(this.#cache);
    this.#livePaths = paths;
    const directories = new Set<string>();
    for (const path of paths) directories.add(dirname(path));
    for (const path of this.logs.keys()) directories.add(dirname(path));
    for (const path of this.#options.globs.literals) directories.add(dirname(path));
    for (const directory of directories) {
      const again = changed.has(directory) || this.#unsettled.has(directory);
      if (again || !this.#examined.has(directory)) this.examine(directory);
    }
    this.#cache.retain(new Set([...directories, ...walked]));
    this.#first = false;
  }

  /** Settles which file of a directory is which generation. */
  examine(directory: string): void {
    this.#examined.add(directory);
    this.#unsettled.delete(directory);
    const entries = this.#cache.list(directory);
    const bases = this.#bases(directory);
    const restoring = this.#inDirectory(directory).some(({ saved }) => saved);
    const present = new Set<string>();
    const liveInodes = new Map<string, string>();
    const candidates: Candidate[] = [];
    for (const { name } of entries) {
      const path = join(directory, name);
      const owner = this.#owner(path, name, directory, bases);
      if (!owner && !restoring) continue;
      const stats = factsOf(() => statSync(path, { bigint: true, throwIfNoEntry: false }));
      if (!stats) continue;
      present.add(stats.inode);
      if (owner?.live) liveInodes.set(path, stats.inode);
      const known = this.#byInode.get(stats.inode);
      if (known && this.#settle(known, path, stats)) continue;
      if (owner && !this.#ignored.has(key(stats))) candidates.push({ ...owner, path, stats });
    }
    for (const generation of this.#inDirectory(directory)) {
      this.#follow(generation, liveInodes.get(generation.log), present);
    }
    candidates.sort(oldestFirst);
    for (const candidate of candidates) this.#open(candidate, directory);
  }

  /** The file behind a generation was truncated or replaced: find what holds the rest, if any. */
  truncated(generation: Generation): void {
    this.#options.onEvent('truncation');
    this.#options.log.info('a file was truncated', { path: generation.path });
    const { fd, rotatedAt, path, inode, birth, mtime } = generation;
    generation.fd = undefined;
    this.#detach(generation);
    if (fd !== undefined) {
      // What is in the file now may be reached by no name any more: the descriptor stays.
      const { size } = fstatSync(fd);
      const next = this.#begin(this.#log(generation.log), { fd, path, inode, birth, size, mtime });
      next.rotatedAt = rotatedAt;
    }
    this.rescan(dirname(generation.log));
  }

  /** Lists a directory now and settles it. */
  rescan(directory: string): void {
    this.#cache.relist(directory);
    this.examine(directory);
    // Names that are new there are matched with the globs at the next look.
    this.#unsettled.add(directory);
  }

  /** Forgets a generation whose file is gone. */
  forget(generation: Generation): void {
    generation.close();
    if (this.#byInode.get(generation.inode) === generation) this.#byInode.delete(generation.inode);
    const log = this.logs.get(generation.log);
    const index = log?.generations.indexOf(generation) ?? -1;
    if (index >= 0) log?.generations.splice(index, 1);
    if (log?.generations.length === 0) this.logs.delete(log.path);
  }

  #log(path: string): TailedLog {
    let log = this.logs.get(path);
    if (!log) {
      log = { path, generations: [] };
      this.logs.set(path, log);
    }
    return log;
  }

  #inDirectory(directory: string): Generation[] {
    return [...this.generations()].filter(({ log }) => dirname(log) === directory);
  }

  /** The live names of a directory, whether or not their files exist at this moment. */
  #bases(directory: string): Set<string> {
    const bases = new Set<string>();
    for (const paths of [this.#livePaths, this.logs.keys(), this.#options.globs.literals]) {
      for (const path of paths) if (dirname(path) === directory) bases.add(basename(path));
    }
    return bases;
  }

  /** Whose file a name is: its own log's, or a rotated sibling of another's. */
  #owner(path: string, name: string, directory: string, bases: ReadonlySet<string>) {
    if (isLeftOut(name)) return undefined;
    const extension = name.lastIndexOf('.');
    for (let i = 1; i < name.length; i++) {
      if (!'._-'.includes(name[i]!)) continue;
      const base = name.slice(0, i);
      if (bases.has(base) && isRotatedName(name, base)) {
        return { log: join(directory, base), live: false, dated: false };
      }
    }
    if (this.#livePaths.has(path) || this.logs.has(path)) {
      return { log: path, live: true, dated: false };
    }
    for (let i = 1; i < extension; i++) {
      if (!'._-'.includes(name[i]!)) continue;
      const base = name.slice(0, i) + name.slice(extension);
      if (bases.has(base) && isDatedName(name, base)) {
        return { log: join(directory, base), live: false, dated: true };
      }
    }
    return undefined;
  }

  /** Whether a known inode still is the file that it was; if not, its generation is detached. */
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
      known.path = path;
      known.rotatedAt ??= this.#options.now();
      return true;
    }
    const file = sameBirth ? this.#openFile(path, stats.inode) : undefined;
    if (sameBirth && !file) return true;
    if (file && file.size >= known.read.offset && resume(known, file)) {
      known.path = path;
      return true;
    }
    if (file) closeSync(file.fd);
    if (known.saved) this.#options.onEvent('truncation');
    this.#detach(known);
    return false;
  }

  /** Notices that a live name left its file, or that no name is left. */
  #follow(generation: Generation, liveInode: string | undefined, present: ReadonlySet<string>) {
    const now = this.#options.now();
    if (!present.has(generation.inode)) generation.missingSince ??= now;
    if (generation.saved || generation.detached) return;
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
    if (this.#byInode.get(generation.inode) === generation) this.#byInode.delete(generation.inode);
    const { copy } = generation;
    generation.copy = undefined;
    if (copy) this.#continueIn(generation, { ...copy, size: fstatSync(copy.fd).size });
  }

  /** Opens an unknown file: a copy of a known generation, or a new one. */
  #open(candidate: Candidate, directory: string): void {
    const { path, log: owner, live, dated, stats } = candidate;
    const file = this.#openFile(path, stats.inode);
    if (!file) {
      this.#unsettled.add(directory);
      return;
    }
    const log = this.#log(owner);
    if (isCompressed(readAt(file.fd, 0, 8)) || (dated && !this.#stoodStill(file, owner))) {
      this.#ignore(file);
      return;
    }
    if (!live) {
      const original = log.generations.findLast(
        (one) => (one.detached || one.live || one.size === file.size) && isCopyOf(file, one),
      );
      if (original) {
        this.#takeCopy(original, file);
        return;
      }
      if (file.size === 0 && this.#options.now() - file.mtime < SLACK) {
        // Perhaps a copy that is only beginning.
        closeSync(file.fd);
        this.#unsettled.add(directory);
        return;
      }
      if (this.#isHistory(file, log)) {
        this.#ignore(file);
        return;
      }
    }
    const generation = this.#begin(log, file);
    if (live) return;
    generation.rotatedAt = this.#options.now();
    // It is older than what its writer has open now.
    log.generations.pop();
    const current = log.generations.findIndex((other) => other.live && !other.saved);
    log.generations.splice(current === -1 ? log.generations.length : current, 0, generation);
  }

  #takeCopy(original: Generation, file: FileFacts): void {
    // After a restart the original may be gone altogether: nothing else holds the rest then.
    const gone = original.saved !== undefined && original.missingSince !== undefined;
    if (original.detached || gone) {
      this.#continueIn(original, file);
      return;
    }
    original.dropCopy();
    original.copy = file;
    this.#ignored.add(key(file));
  }

  /** A copy takes the place of the file that it was made of. */
  #continueIn(generation: Generation, file: FileFacts): void {
    this.#ignored.delete(key(file));
    if (generation.saved && !generation.adopt(file)) {
      closeSync(file.fd);
      return;
    }
    const { read } = generation;
    if (file.size < read.offset) {
      generation.clamp = {
        offset: file.size,
        tail: tailBefore(file.fd, file.size),
        inLine: false,
      };
    } else if (!tailBefore(file.fd, read.offset).equals(read.tail)) {
      closeSync(file.fd);
      return;
    }
    if (this.#byInode.get(generation.inode) === generation) this.#byInode.delete(generation.inode);
    generation.fd = file.fd;
    generation.inode = file.inode;
    generation.birth = file.birth;
    generation.path = file.path;
    generation.size = Math.max(file.size, read.offset);
    generation.mtime = Math.max(generation.mtime, file.mtime);
    generation.detached = false;
    generation.missingSince = undefined;
    generation.rotatedAt = this.#options.now();
    this.#byInode.set(file.inode, generation);
    this.#options.log.info('a truncated file goes on in its copy', { path: file.path });
  }

  #begin(log: TailedLog, file: FileFacts): Generation {
    const { now, startAt, onEvent } = this.#options;
    const generation = new Generation(randomBytes(8).toString('hex'), log.path, file, now());
    generation.fd = file.fd;
    generation.size = file.size;
    if (startAt === 'end' && this.#isNew(log)) {
      const tail = tailBefore(file.fd, file.size);
      const inLine = tail.length > 0 && tail.at(-1) !== 0x0a;
      generation.read = { offset: file.size, tail, inLine };
      generation.acked = generation.read;
    }
    generation.head = readAt(file.fd, 0, HEAD_LENGTH);
    this.#byInode.set(file.inode, generation);
    log.generations.push(generation);
    onEvent('generation');
    this.#options.log.debug('a new generation', { path: file.path, id: generation.id });
    return generation;
  }

  /** Rotated files from before this log was followed, or put back by someone. */
  #isHistory(file: FileFacts, log: TailedLog): boolean {
    if (this.#isNew(log)) return this.#options.startAt === 'end';
    let newest = 0;
    for (const { mtime } of log.generations) newest = Math.max(newest, mtime);
    return file.mtime < newest - SLACK;
  }

  /** Whether the log was never seen before this program's first look. */
  #isNew(log: TailedLog): boolean {
    return this.#first && !this.#restored.has(log.path);
  }

  /** A dated name is a rotated file only if its writer had left it when the live one was born. */
  #stoodStill(file: FileFacts, owner: string): boolean {
    const live = factsOf(() => statSync(owner, { bigint: true, throwIfNoEntry: false }));
    if (!live || live.birth === 0n || file.birth === 0n || file.birth > live.birth) return false;
    return file.mtime <= Number(live.birth / 1_000_000n) + SLACK;
  }

  #ignore(file: FileFacts): void {
    this.#ignored.add(key(file));
    closeSync(file.fd);
  }

  #openFile(path: string, inode: string): FileFacts | undefined {
    let fd: number | undefined;
    try {
      fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
      const opened = fd;
      const facts = factsOf(() => fstatSync(opened, { bigint: true }));
      this.#complained.delete(path);
      if (facts && facts.inode === inode) return { ...facts, fd, path };
    } catch (error) {
      const gone = (error as NodeJS.ErrnoException).code === 'ENOENT';
      if (!gone && !this.#complained.has(path)) {
        this.#complained.add(path);
        this.#options.log.error('a log file cannot be opened; trying again at each look', {
          path,
          error: errorText(error),
        });
      }
    }
    if (fd !== undefined) closeSync(fd);
    this.#unsettled.add(dirname(path));
    return undefined;
  }

  /** Whether a file that no name leads to any more was missing long enough to be forgotten. */
  isGone({ missingSince, detached, saved }: Generation): boolean {
    if (missingSince === undefined) return false;
    const patience = detached && !saved ? this.#options.forgetAfter : MISSING;
    return this.#options.now() - missingSince >= patience;
  }

  /** The paths that cannot be opened at present. */
  get unreadable(): ReadonlySet<string> {
    return this.#complained;
  }
}

/** A file of which no descriptor is held is what it was, and may have grown. */
function resume(known: Generation, file: FileFacts): boolean {
  if (known.saved ? !known.adopt(file) : !known.verify(file.fd)) return false;
  known.fd = file.fd;
  known.size = file.size;
  known.mtime = Math.max(known.mtime, file.mtime);
  return true;
}

interface BigStats {
  dev: bigint;
  ino: bigint;
  size: bigint;
  mtimeMs: bigint;
  birthtimeNs: bigint;
  isFile(): boolean;
}

function factsOf(stat: () => BigStats | undefined): FileStats | undefined {
  let stats: BigStats | undefined;
  try {
    stats = stat();
  } catch {
    return undefined;
  }
  if (!stats?.isFile()) return undefined;
  return {
    inode: `${stats.dev}:${stats.ino}`,
    birth: stats.birthtimeNs,
    size: Number(stats.size),
    mtime: Number(stats.mtimeMs),
  };
}

function key({ inode, birth }: Pick<FileFacts, 'inode' | 'birth'>): string {
  return `${inode}@${birth}`;
}

/** By birth, then by last change; of numbered siblings the higher number is the older. */
function oldestFirst(a: Candidate, b: Candidate): number {
  if (a.live !== b.live) return a.live ? 1 : -1;
  if (a.stats.birth !== b.stats.birth) return a.stats.birth < b.stats.birth ? -1 : 1;
  if (a.stats.mtime !== b.stats.mtime) return a.stats.mtime - b.stats.mtime;
  return b.path.localeCompare(a.path, 'en', { numeric: true });
}
