import { closeSync } from 'node:fs';
import { dirname } from 'node:path';
import { type FileStats, fileIdentity } from './candidates.ts';
import type { Continuations } from './continuations.ts';
import type { Generation } from './generation.ts';
import type { LogFiles } from './log-files.ts';
import type { Logs } from './logs.ts';
import type { Undecided } from './undecided.ts';

interface Parts {
  readonly logs: Logs;
  readonly files: LogFiles;
  readonly continuations: Continuations;
  readonly undecided: Undecided;
  readonly now: () => number;
  readonly onEvent: (event: 'rotation' | 'truncation') => void;
}

/** Keeps the generations that are known with their files, under whatever names these are found. */
export class KnownFiles {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Whether a known inode is still the same file; if not, its generation is detached. */
  settle(known: Generation, path: string, stats: FileStats): boolean {
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
      known.rotatedAt ??= this.#parts.now();
      return true;
    }
    const file = sameBirth ? this.#parts.files.open(path, stats.inode) : undefined;
    if (sameBirth && !file) {
      this.#parts.undecided.leaveAll(dirname(path));
      return true;
    }
    if (file && file.size >= known.read.offset && known.resume(file)) {
      known.path = path;
      return true;
    }
    if (file) closeSync(file.fd);
    if (known.saved) this.#parts.onEvent('truncation');
    this.#parts.continuations.detach(known);
    return false;
  }

  /** Notices that the live name moved to another file, or that no name is left. */
  follow(
    generation: Generation,
    directory: string,
    liveInode: string | undefined,
    present: ReadonlySet<string>,
  ): void {
    const now = this.#parts.now();
    const isHere = dirname(generation.path) === directory;
    if (isHere && !present.has(fileIdentity(generation))) generation.missingSince ??= now;
    if (generation.saved || generation.detached || dirname(generation.log) !== directory) return;
    if (generation.inode === liveInode) {
      generation.rotatedAt = undefined;
    } else if (generation.rotatedAt === undefined) {
      generation.rotatedAt = now;
      this.#parts.onEvent('rotation');
    }
  }

  /** Whether a compressed file is that in which a generation continued. */
  isUnpacked(path: string, { inode, birth }: FileStats): boolean {
    const known = this.#parts.logs.withInode(inode);
    if (known === undefined || known.birth !== birth) return false;
    known.path = path;
    known.missingSince = undefined;
    return known.saved === undefined;
  }
}
