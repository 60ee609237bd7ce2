import { closeSync, fstatSync } from 'node:fs';
import type { SavedGeneration, SavedMark } from '../state/state-file.ts';
import { fingerprint, HEAD_LENGTH, readAt, tailBefore } from './bytes.ts';
import { Cursor, type Mark, START } from './cursor.ts';
import { Growth } from './growth.ts';
import { furthestOf, SavedForm } from './saved-form.ts';

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
  /** One for each output. */
  readonly cursors: readonly Cursor[];
  /** Earlier offsets of the furthest cursor. */
  readonly places: Mark[] = [];
  size = 0;
  /** The size at the scan before, which a copy that was made since then has at least. */
  sizeBefore: number | undefined;
  mtime = 0;
  /** When its size was read last. */
  checkedAt = 0;
  grownAt: number;
  readonly growth: Growth = new Growth();
  /** The time at which the live name moved to another file or was removed. */
  rotatedAt: number | undefined;
  unlinkedAt: number | undefined;
  /** True if its file was truncated or replaced, so that only a copy can hold the rest. */
  detached = false;
  /** True if its descriptor was needed for another file. */
  isClosedForRoom = false;
  /** True if its file is gone, and only what recognises its content is kept. */
  finished = false;
  /** True if it was rotated and delivered to its end, so that nothing is lost with its file. */
  ended = false;
  /** A copy of this file, made by copytruncate before it truncates. */
  copy: FileFacts | undefined;
  /** The saved state, until the file was verified to be the same. */
  saved: SavedGeneration | undefined;
  /** The time since which no name in its directory refers to it. */
  missingSince: number | undefined;
  /** The offset up to which waiting events were emitted for some output. */
  settled = -1;
  /** The end of a copy that is shorter than what was read of the original. */
  clamp: Mark | undefined;
  readonly #outputs: readonly string[];
  readonly #form: SavedForm;

  /** @param outputs the names of the outputs, which have a cursor each. */
  constructor(
    id: string,
    log: string,
    facts: Omit<FileFacts, 'fd' | 'size'>,
    now: number,
    outputs: readonly string[],
  ) {
    this.id = id;
    this.log = log;
    this.path = facts.path;
    this.inode = facts.inode;
    this.birth = facts.birth;
    this.mtime = facts.mtime;
    this.grownAt = now;
    this.#outputs = outputs;
    this.#form = new SavedForm(outputs);
    this.cursors = outputs.map(() => new Cursor(START));
  }

  static restore(saved: SavedGeneration, now: number, outputs: readonly string[]): Generation {
    const { id, log, path, inode, birth, mtime } = saved;
    const facts = { path, inode, birth: BigInt(birth), mtime };
    const generation = new Generation(id, log, facts, now, outputs);
    generation.saved = saved;
    generation.finished = saved.finished === true;
    generation.ended = saved.ended === true;
    generation.#startAt(({ offset, inLine }) => ({ offset, tail: START.tail, inLine }));
    generation.size = generation.read.offset;
    return generation;
  }

  get live(): boolean {
    return this.rotatedAt === undefined && !this.detached;
  }

  /** The furthest offset that was read for an output. */
  get read(): Mark {
    let furthest = this.cursors[0]!.read;
    for (const { read } of this.cursors) if (read.offset > furthest.offset) furthest = read;
    return furthest;
  }

  /** The offset up to which all outputs have acknowledged everything. */
  get acked(): Mark {
    let slowest = this.cursors[0]!.acked;
    for (const { acked } of this.cursors) if (acked.offset < slowest.offset) slowest = acked;
    return slowest;
  }

  /** The size of the file at this moment, in bytes, which may be ahead of the last scan. */
  get currentSize(): number {
    return Math.max(this.size, this.actualSize);
  }

  /** The size of the file at this moment, in bytes, which may have been truncated. */
  get actualSize(): number {
    return this.fd === undefined ? this.size : fstatSync(this.fd).size;
  }

  /** Whether all outputs have acknowledged what was read for them. */
  get isDelivered(): boolean {
    return this.cursors.every(({ acked, read }) => acked.offset >= read.offset);
  }

  /** Bytes in the file that were not read yet for an output. */
  unreadBy({ read }: Cursor): number {
    if (this.fd === undefined) return 0;
    return Math.max(0, (this.clamp?.offset ?? this.size) - read.offset);
  }

  /** Bytes in the file that were not read yet for the slowest output. */
  get unread(): number {
    let most = 0;
    for (const cursor of this.cursors) most = Math.max(most, this.unreadBy(cursor));
    return most;
  }

  /** Whether a file is, by its bytes, the saved one; takes over its head and tail. */
  adopt({ fd, size }: FileFacts): boolean {
    const { saved } = this;
    if (!saved) return true;
    const furthest = furthestOf(saved);
    if (size < furthest.offset || size < saved.head.length) return false;
    const head = readAt(fd, 0, saved.head.length);
    const tail = tailBefore(fd, furthest.offset);
    if (fingerprint(head) !== saved.head.hash || fingerprint(tail) !== furthest.tail.hash) {
      return false;
    }
    this.head = head;
    this.#startAt(({ offset, inLine }) => ({ offset, tail: tailBefore(fd, offset), inLine }));
    this.saved = undefined;
    return true;
  }

  /** Whether the open file still has the head and the bytes before the offset that were read. */
  verify(fd: number): boolean {
    const head = readAt(fd, 0, HEAD_LENGTH);
    if (head.length < this.head.length) return false;
    if (!head.subarray(0, this.head.length).equals(this.head)) return false;
    const { read } = this;
    if (!tailBefore(fd, read.offset).equals(read.tail)) return false;
    // The head grows with the file, from its first byte on.
    this.head = head;
    return true;
  }

  /** Advances the read offset of an output. */
  advance(cursor: Cursor, mark: Mark): void {
    const { read } = this;
    if (mark.offset > read.offset) {
      this.places.push(read);
      if (this.places.length > PLACES) this.places.shift();
    }
    cursor.read = mark;
  }

  /** Starts at the current end of the file. */
  startAtEnd({ fd, size }: FileFacts): void {
    const tail = tailBefore(fd, size);
    const mark = { offset: size, tail, inLine: tail.length > 0 && tail.at(-1) !== LF };
    for (const cursor of this.cursors) {
      cursor.read = mark;
      cursor.acked = mark;
    }
  }

  /** Takes a descriptor if none is held and the file is the same; it may have grown. */
  resume(file: FileFacts): boolean {
    if (this.saved ? !this.adopt(file) : !this.verify(file.fd)) return false;
    this.fd = file.fd;
    this.ended = false;
    this.isClosedForRoom = false;
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
    this.ended = false;
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
    return this.#form.textOf(this);
  }

  /** Each output's own mark, if it has one; the slowest of all for an output that is new. */
  #startAt(mark: (saved: SavedMark) => Mark): void {
    const { saved } = this;
    if (!saved) return;
    this.#outputs.forEach((name, i) => {
      const cursor = this.cursors[i]!;
      cursor.read = mark(saved.outputs?.[name] ?? saved);
      cursor.acked = cursor.read;
    });
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
