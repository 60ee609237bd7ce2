import { closeSync } from 'node:fs';
import type { SavedGeneration } from '../state/state-file.ts';
import { fingerprint, HEAD_LENGTH, readAt, tailBefore } from './bytes.ts';

/** A place in a generation up to which everything was delivered, and what vouches for it. */
export interface Mark {
  readonly offset: number;
  /** The up to 256 bytes before the offset. */
  readonly tail: Buffer;
  /** The offset is inside a line, of which the part before was delivered. */
  readonly inLine: boolean;
}

/** A file as it was found and opened. */
export interface FileFacts {
  readonly fd: number;
  readonly path: string;
  readonly inode: string;
  readonly birth: bigint;
  readonly size: number;
  readonly mtime: number;
}

/** How many earlier places are remembered, to recognise a copy that ends before the offset. */
const PLACES = 64;

/**
 * One life of a log file: from its first byte until it is rotated, truncated or replaced. It
 * holds its descriptor until everything was read and delivered, wherever its name goes.
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
  /** What is read next: always the start of a line, or of the rest of one. */
  read: Mark = { offset: 0, tail: Buffer.alloc(0), inLine: false };
  /** Delivered by all outputs. */
  acked: Mark = this.read;
  /** Earlier places of `read`. */
  readonly places: Mark[] = [];
  size = 0;
  mtime = 0;
  /** The start of a line whose end was not there yet, kept in case it is cut off the file. */
  partial: Buffer = Buffer.alloc(0);
  grownAt: number;
  /** When the live name went to another file, or away. */
  rotatedAt: number | undefined;
  unlinkedAt: number | undefined;
  /** Its file was truncated or replaced: only a copy can hold the rest. */
  detached = false;
  /** A copy of this file, made by copytruncate before it truncates. */
  copy: FileFacts | undefined;
  /** What the state file knew, until the file was seen to be the same. */
  saved: SavedGeneration | undefined;
  /** Since when no name in its directory leads to it. */
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

  /** Whether this file, by its bytes, is the one the state file speaks of; takes its head and tail. */
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

  /** Whether the open file still begins and goes on as it did when it was read. */
  verify(fd: number): boolean {
    const head = readAt(fd, 0, HEAD_LENGTH);
    if (head.length < this.head.length) return false;
    if (!head.subarray(0, this.head.length).equals(this.head)) return false;
    if (!tailBefore(fd, this.read.offset).equals(this.read.tail)) return false;
    // The head grows with the file, from its first byte on.
    this.head = head;
    return true;
  }

  /** Moves on in the file. */
  advance(mark: Mark): void {
    if (mark.offset === this.read.offset) return;
    this.places.push(this.read);
    if (this.places.length > PLACES) this.places.shift();
    this.read = mark;
  }

  save(): SavedGeneration {
    if (this.saved) return { ...this.saved, path: this.path };
    // The head may have grown past what was delivered, which a truncation can still change.
    const head = this.head.subarray(0, Math.min(this.head.length, HEAD_LENGTH));
    const { clamp, acked } = this;
    const { offset, tail, inLine } = clamp && acked.offset > clamp.offset ? clamp : acked;
    return {
      id: this.id,
      log: this.log,
      path: this.path,
      inode: this.inode,
      birth: String(this.birth),
      head: { length: head.length, hash: fingerprint(head) },
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
