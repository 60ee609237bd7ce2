import { closeSync } from 'node:fs';
import type { SavedGeneration } from '../state/state-file.ts';
import { fingerprint, HEAD_LENGTH, readAt, tailBefore } from './bytes.ts';

/** An offset in a generation, with the bytes before it that identify the place. */
export interface Mark {
  readonly offset: number;
  /** The up to 256 bytes before the offset. */
  readonly tail: Buffer;
  /** The offset is inside a line, of which the part before was delivered. */
  readonly inLine: boolean;
}

/** A file that was found and opened. */
export interface FileFacts {
  readonly fd: number;
  readonly path: string;
  readonly inode: string;
  readonly birth: bigint;
  readonly size: number;
  readonly mtime: number;
}

const LF = 0x0a;
/** The number of earlier offsets that are remembered, to recognise a shorter copy. */
const PLACES = 64;

/**
 * One generation of a log file: from its first byte until it is rotated, truncated or replaced.
 * It keeps its descriptor until everything was read and delivered, whatever happens to its name.
 */
export class Generation {
  readonly id: string;
  /** The live path of the log that it belongs to. */
  readonly log: string;
  path: string;
  inode: string;
  birth: bigint;
  fd: number | undefined;
  /** The file's first bytes, up to 1 KiB, as far as they were read. */
  head: Buffer = Buffer.alloc(0);
  /** The next offset to read: always the start of a line, or of the rest of one. */
  read: Mark = { offset: 0, tail: Buffer.alloc(0), inLine: false };
  /** Delivered by all outputs. */
  acked: Mark = this.read;
  /** Earlier values of `read`. */
  readonly places: Mark[] = [];
  size = 0;
  mtime = 0;
  /** The start of a line whose end was not written yet, kept in case the file is truncated. */
  partial: Buffer = Buffer.alloc(0);
  grownAt: number;
  /** The time at which the live name moved to another file or was removed. */
  rotatedAt: number | undefined;
  unlinkedAt: number | undefined;
  /** True if its file was truncated or replaced, so that only a copy can hold the rest. */
  detached = false;
  /** A copy of this file, made by copytruncate before it truncates. */
  copy: FileFacts | undefined;
  /** The saved state, until the file was verified to be the same. */
  saved: SavedGeneration | undefined;
  /** The time since which no name in its directory refers to it. */
  missingSince: number | undefined;
  /** The end of a copy that is shorter than what was read of the original. */
  clamp: Mark | undefined;

  constructor(id: string, log: string, facts: Omit<FileFacts, 'fd' | 'size'>, now: number) {
    this.id = id;
    this.log = log;
    this.path = facts.path;
    this.inode = facts.inode;
    this.birth = facts.birth;
    this.mtime = facts.mtime;
    this.grownAt = now;
  }

  static restore(saved: SavedGeneration, now: number): Generation {
    const { id, log, path, inode, birth, mtime } = saved;
    const generation = new Generation(id, log, { path, inode, birth: BigInt(birth), mtime }, now);
    generation.saved = saved;
    generation.read = { offset: saved.offset, tail: Buffer.alloc(0), inLine: saved.inLine };
    generation.acked = generation.read;
    generation.size = saved.offset;
    return generation;
  }

  get live(): boolean {
    return this.rotatedAt === undefined && !this.detached;
  }

  /** Bytes in the file that were not read yet. */
  get unread(): number {
    return this.fd === undefined ? 0 : Math.max(0, this.size - this.read.offset);
  }

  /** Whether a file is, by its bytes, the saved one; takes over its head and tail. */
  adopt({ fd, size }: FileFacts): boolean {
    const { saved } = this;
    if (!saved) return true;
    if (size < saved.offset || size < saved.head.length) return false;
    const head = readAt(fd, 0, saved.head.length);
    const tail = tailBefore(fd, saved.offset);
    if (fingerprint(head) !== saved.head.hash || fingerprint(tail) !== saved.tail.hash)
      return false;
    this.head = head;
    this.read = { offset: saved.offset, tail, inLine: saved.inLine };
    this.acked = this.read;
    this.saved = undefined;
    return true;
  }

  /** Whether the open file still has the head and the bytes before the offset that were read. */
  verify(fd: number): boolean {
    const head = readAt(fd, 0, HEAD_LENGTH);
    if (head.length < this.head.length) return false;
    if (!head.subarray(0, this.head.length).equals(this.head)) return false;
    if (!tailBefore(fd, this.read.offset).equals(this.read.tail)) return false;
    // The head grows with the file, from its first byte on.
    this.head = head;
    return true;
  }

  /** Advances the read offset. */
  advance(mark: Mark): void {
    if (mark.offset === this.read.offset) return;
    this.places.push(this.read);
    if (this.places.length > PLACES) this.places.shift();
    this.read = mark;
  }

  /** Starts at the current end of the file. */
  startAtEnd({ fd, size }: FileFacts): void {
    const tail = tailBefore(fd, size);
    this.read = { offset: size, tail, inLine: tail.length > 0 && tail.at(-1) !== LF };
    this.acked = this.read;
  }

  /** Takes a descriptor if none is held and the file is the same; it may have grown. */
  resume(file: FileFacts): boolean {
    if (this.saved ? !this.adopt(file) : !this.verify(file.fd)) return false;
    this.fd = file.fd;
    this.size = file.size;
    this.mtime = Math.max(this.mtime, file.mtime);
    return true;
  }

  /** Continues in a copy of its file at the same offset; false if the copy does not match. */
  continueIn(file: FileFacts, now: number): boolean {
    if (this.saved && !this.adopt(file)) return false;
    const { read } = this;
    if (file.size < read.offset) {
      const tail = tailBefore(file.fd, file.size);
      this.clamp = { offset: file.size, tail, inLine: false };
    } else if (!tailBefore(file.fd, read.offset).equals(read.tail)) {
      return false;
    }
    this.fd = file.fd;
    this.inode = file.inode;
    this.birth = file.birth;
    this.path = file.path;
    this.size = Math.max(file.size, read.offset);
    this.mtime = Math.max(this.mtime, file.mtime);
    this.detached = false;
    this.missingSince = undefined;
    this.rotatedAt = now;
    return true;
  }

  /** Returns its saved state as JSON; built again only if something changed. */
  save(): string {
    const { path, inode, mtime, clamp, acked, saved } = this;
    const mark = clamp && acked.offset > clamp.offset ? clamp : acked;
    const kept = this.#kept;
    const same =
      kept?.mark === mark &&
      kept.path === path &&
      kept.inode === inode &&
      kept.mtime === mtime &&
      kept.saved === saved &&
      kept.head === this.head.length;
    if (same) return kept.text;
    const text = JSON.stringify(saved ? { ...saved, path } : this.#facts(mark));
    this.#kept = { text, mark, path, inode, mtime, saved, head: this.head.length };
    return text;
  }

  #kept:
    | (Pick<Generation, 'path' | 'inode' | 'mtime' | 'saved'> & {
        readonly text: string;
        readonly mark: Mark;
        readonly head: number;
      })
    | undefined;

  #facts({ offset, tail, inLine }: Mark): SavedGeneration {
    return {
      id: this.id,
      log: this.log,
      path: this.path,
      inode: this.inode,
      birth: String(this.birth),
      head: { length: this.head.length, hash: fingerprint(this.head) },
      offset,
      tail: { length: tail.length, hash: fingerprint(tail) },
      inLine,
      mtime: this.mtime,
    };
  }

  close(): void {
    if (this.fd !== undefined) closeSync(this.fd);
    this.fd = undefined;
    this.dropCopy();
  }

  dropCopy(): void {
    if (this.copy) closeSync(this.copy.fd);
    this.copy = undefined;
  }
}
