import { closeSync } from 'node:fs';
import { dirname } from 'node:path';
import { readAt } from './bytes.ts';
import { type Candidate, fileIdentity } from './candidates.ts';
import { type Continuations, isLost } from './continuations.ts';
import { beginsLike, isCopyOf, isUnreadCopyOf } from './copies.ts';
import type { FileFacts, Generation } from './generation.ts';
import type { LogFiles } from './log-files.ts';
import type { Logs } from './logs.ts';
import { type NewGenerations, SLACK, wasLeftByItsWriter } from './new-generations.ts';
import type { Owners } from './owners.ts';
import { isCompressed } from './rotated-names.ts';
import type { Unpacker } from './unpacker.ts';

interface Parts {
  readonly logs: Logs;
  readonly owners: Owners;
  readonly files: LogFiles;
  readonly newGenerations: NewGenerations;
  readonly continuations: Continuations;
  readonly unpacker: Unpacker;
  readonly now: () => number;
  /** Milliseconds since the epoch, as the times of files are. */
  readonly wall: () => number;
}

/** A limit for files that were removed before it was clear what they are. */
const MOST_UNREAD = 1000;

/** Classifies unknown files: a copy of a known generation, an old file, or a new generation. */
export class UnknownFiles {
  readonly #parts: Parts;
  /** Undecided files that were no history when they were first seen. */
  readonly #unread = new Set<string>();

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Takes a file as what it is; false if that cannot be decided yet. */
  take(candidate: Candidate): boolean {
    const isUnread = candidate.live || this.#isUnread(candidate);
    const isTaken = this.#take(candidate, isUnread);
    if (isTaken) this.#unread.delete(fileIdentity(candidate.stats));
    return isTaken;
  }

  #take(candidate: Candidate, isUnread: boolean): boolean {
    const { newGenerations, unpacker } = this.#parts;
    const { path, log, compressed, stats } = candidate;
    if (!compressed) {
      const file = this.#parts.files.open(path, stats.inode);
      return file !== undefined && this.#classify(file, candidate, isUnread);
    }
    if (!isUnread && !this.#mayContinue(candidate)) {
      newGenerations.ignore(stats);
      return true;
    }
    const file = unpacker.open(path, log, stats);
    if (file === 'pending') return false;
    if (file === 'failed') newGenerations.ignore(stats);
    else return this.#continued(file) || this.#classify(file, candidate, isUnread);
    return true;
  }

  /** Continues with an unpacked file that was being read when the adapter was stopped. */
  #continued(file: FileFacts): boolean {
    const known = this.#parts.logs.withInode(file.inode);
    // The inode may have been that of another file.
    if (!known?.saved || known.birth !== file.birth) return false;
    if (known.resume(file)) known.rotatedAt = this.#parts.now();
    else this.#leave(file);
    return true;
  }

  #classify(file: FileFacts, candidate: Candidate, isUnread: boolean): boolean {
    const { log: owner, live, compressed } = candidate;
    const { logs, owners, newGenerations } = this.#parts;
    if (!compressed && isCompressed(readAt(file.fd, 0, 8))) {
      this.#leave(file);
      return true;
    }
    if (this.#isCopy(file, candidate)) return true;
    if (this.#mayBecomeCopy(file, candidate)) {
      closeSync(file.fd);
      return false;
    }
    if (this.#isAnotherLog(file, candidate)) {
      this.#leave(file);
      return true;
    }
    const log = logs.of(owner);
    owners.add(owner);
    if (!isUnread) {
      this.#leave(file);
      return true;
    }
    const generation = newGenerations.begin(log, file);
    if (live) return true;
    generation.rotatedAt = this.#parts.now();
    // It is older than the file that its writer has open now.
    log.generations.pop();
    const current = log.generations.findIndex(
      (other) => other.live && !other.saved && !other.finished,
    );
    log.generations.splice(current === -1 ? log.generations.length : current, 0, generation);
    return true;
  }

  /** Whether a file is a copy of a generation of a log; takes it as such. */
  #isCopy(file: FileFacts, { log: own, live, compressed, original: other }: Candidate): boolean {
    const { logs, continuations } = this.#parts;
    const owner = live ? other : own;
    // Live and compressed files are read anyway; but the rest of a lost file keeps its key.
    const orUnread = (one: Generation) => !live && (!compressed || isLost(one));
    const log = owner === undefined ? undefined : logs.byPath.get(owner);
    // A copy that is read as a log of its own may be compressed under the name of another.
    const others = compressed ? logs.inDirectory(dirname(file.path)) : [];
    const all = [...others, ...(log?.generations ?? [])].filter(
      (one) => beginsLike(file, one) && mayHaveCopy(one, file),
    );
    const original =
      // Of files that begin alike, the one of this size is the better match.
      all.findLast((one) => one.currentSize === file.size && isCopyOf(file, one)) ??
      all.findLast((one) => isCopyOf(file, one) || (orUnread(one) && isUnreadCopyOf(file, one)));
    if (!original) return false;
    const complete =
      original.detached || isLost(original) || file.size >= (original.sizeBefore ?? original.size);
    if (live && !complete) return false;
    if (original.finished) this.#leave(file);
    else continuations.take(original, file);
    return true;
  }

  /** Whether a file that was written a moment ago may still turn out to be a copy. */
  #mayBecomeCopy(file: FileFacts, candidate: Candidate): boolean {
    const { logs, wall } = this.#parts;
    if (wall() - file.mtime >= SLACK) return false;
    if (this.#isAnotherLog(file, candidate)) return true;
    const { live, original } = candidate;
    if (file.size === 0 && !live) return true;
    // So far, a live file with the name of a copy may be the beginning of the original.
    const log = original === undefined ? undefined : logs.byPath.get(original);
    if (!log) return false;
    return file.size === 0 || log.generations.some((one) => isCopyOf(file, one));
  }

  /** Whether a file with a date or number in its name is the live log of another program. */
  #isAnotherLog(file: FileFacts, { log: owner, dated, compressed }: Candidate): boolean {
    const { logs, wall } = this.#parts;
    const isKnown = logs.byPath.has(owner);
    return dated && !compressed && !wasLeftByItsWriter(file, owner, wall(), isKnown);
  }

  /**
   * Whether a file is newer than what is known of its log. That is judged when it is first seen: what
   * is written to the live file while it is undecided would make it look old.
   */
  #isUnread({ log, stats, compressed }: Candidate): boolean {
    const { logs, newGenerations } = this.#parts;
    const identity = fileIdentity(stats);
    if (this.#unread.has(identity)) return true;
    if (newGenerations.isHistory(stats, log)) return false;
    // Compressed files that were there before the first start are not unpacked.
    if (compressed && (newGenerations.first || !logs.byPath.has(log))) return false;
    if (this.#unread.size >= MOST_UNREAD) this.#unread.clear();
    this.#unread.add(identity);
    return true;
  }

  /** Whether a compressed file may be the rest of one: old ones are not unpacked at all. */
  #mayContinue({ log: owner, stats }: Candidate): boolean {
    const { logs, newGenerations } = this.#parts;
    const log = logs.byPath.get(owner);
    if (!log || newGenerations.first) return false;
    const mayGoOn = log.generations.filter((one) => !one.finished && (one.live || isLost(one)));
    // One that was created and compressed between two scans is newer than all others.
    const oldest =
      mayGoOn.length > 0
        ? Math.min(...mayGoOn.map(({ mtime }) => mtime))
        : Math.max(...log.generations.map(({ mtime }) => mtime));
    return log.generations.length > 0 && stats.mtime >= oldest - SLACK;
  }

  /** Closes a file and ignores it from now on. */
  #leave(file: FileFacts): void {
    this.#parts.newGenerations.ignore(file);
    closeSync(file.fd);
  }
}

/** Whether there may be a copy of a generation that is not the generation's own file. */
function mayHaveCopy(one: Generation, file: FileFacts): boolean {
  return one.detached || one.live || one.finished || isLost(one) || one.currentSize === file.size;
}
