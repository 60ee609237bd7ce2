import { randomBytes } from 'node:crypto';
import {
  closeSync,
  fdatasyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  unlinkSync,
} from 'node:fs';
import { join } from 'node:path';
import { ExpectedError } from '@sidekit/core';
import { lockFile } from '@sidekit/shared-memory';
import { skipLines } from '../queue/lines.ts';
import { type Entry, endsInWriting, lastOf, readEntries, writeEntry } from './segment.ts';
import { SlotFile } from './slot-file.ts';

/** A segment is closed when it is longer than this, in bytes; acknowledged ones are removed. */
const SEGMENT_LIMIT = 8 * 1024 * 1024;

interface Mark {
  readonly stream: string;
  readonly acknowledged: number;
  /** The source's position after the acknowledged records. */
  readonly position: number;
  /** Whether the last acknowledged record is the exit message. */
  readonly ended: boolean;
  /** Whether the consumer acknowledged more than the journal has. */
  readonly short?: boolean;
}

export interface JournalOptions {
  readonly directory: string;
  /** Reads how far the consumer has delivered a stream, if that is known here; else 0. */
  readonly delivered: (stream: string) => number;
  /** Whether records are on the disk when `append` returns; false by default. */
  readonly sync?: boolean;
}

/**
 * Keeps every record of the producer from before it is sent until it is acknowledged. It survives
 * SIGKILL at any instant (the kernel has what write(2) took) and, with `sync`, a power failure.
 *
 * A directory with `mark` (the stream's name and what is acknowledged), `lock`, and segments, each
 * named by its first sequence, of entries with a checksum. An incomplete entry at the end is cut
 * off; entries behind damaged ones are found. A journal that lost records (a power failure, an old copy of the volume, a removed file)
 * continues as a new stream: the consumer has numbers of the old one that would be used twice.
 */
export class Journal {
  readonly #directory: string;
  readonly #mark: SlotFile<Mark>;
  readonly #lock: number;
  readonly #sync: boolean;
  /** The first sequences of the segments, ascending; the last one is written to. */
  #segments: number[];
  #descriptor = -1;
  #size = 0;
  /** Ends of the pending entries, oldest first. */
  #ends: { readonly last: number; readonly position: number; readonly ended: boolean }[] = [];
  /** The sequence of the last record in the journal; 0 if there is none. */
  last = 0;
  /** The source's position of the last entry; 0 if there is none. */
  position = 0;
  /** Whether the last record is the exit message. */
  ended = false;
  /** Why records were lost before this start; undefined if none were. */
  readonly damage: string | undefined;

  /**
   * Opens or creates a journal, for one process at a time.
   * @throws {ExpectedError} if another one has it open. @throws the system call's error.
   */
  static async open(options: JournalOptions): Promise<Journal> {
    const { directory } = options;
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    const lock = openSync(join(directory, 'lock'), 'a', 0o600);
    try {
      if (await lockFile(lock)) return new Journal(options, lock);
    } catch (error) {
      closeSync(lock);
      throw error;
    }
    closeSync(lock);
    throw new ExpectedError(
      `another producer has the journal ${directory} open: give each producer its own --queue, or its own --journal`,
    );
  }

  private constructor({ directory, delivered, sync = false }: JournalOptions, lock: number) {
    this.#directory = directory;
    this.#lock = lock;
    this.#sync = sync;
    rmSync(join(directory, 'salvage'), { force: true });
    this.#segments = readdirSync(directory)
      .filter((name) => /^\d{16}\.log$/.test(name))
      .map((name) => Number(name.slice(0, 16)))
      .toSorted((a, b) => a - b);
    // In case the mark is missing: segments are removed only when they are acknowledged.
    const stream = this.#newestStream();
    const removed = (this.#segments[0] ?? 1) - 1;
    this.#mark = new SlotFile<Mark>(join(directory, 'mark'), {
      stream: stream ?? newStream(),
      acknowledged: stream === undefined ? 0 : Math.max(removed, delivered(stream)),
      position: 0,
      ended: false,
    });
    this.damage = this.#recover(delivered(this.stream));
    if (this.damage !== undefined) this.#renew(delivered(this.stream));
    else if (!this.#mark.found && stream !== undefined) {
      this.damage = 'its mark was missing: records may be delivered again';
    }
  }

  get stream(): string {
    return this.#mark.value.stream;
  }

  /** The highest sequence up to which everything is acknowledged. */
  get acknowledged(): number {
    return this.#mark.value.acknowledged;
  }

  /** Whether everything, the exit message included, was sent and acknowledged. */
  get complete(): boolean {
    return this.ended && this.acknowledged === this.last;
  }

  /** Reads the entries with records that are not acknowledged, oldest first, on demand. */
  *pending(): Generator<Entry> {
    const until = this.last;
    for (const { entry } of this.#entries(this.acknowledged)) {
      if (entry.sequence > until) return;
      if (lastOf(entry) > this.acknowledged) yield entry;
    }
  }

  /**
   * Adds records, as lines. If it fails (ENOSPC), nothing of them is left in the journal.
   * @returns the sequence of the first. @throws the system call's error.
   */
  append(lines: Buffer, count: number, position: number, end = false): number {
    const sequence = this.last + 1;
    if (this.#descriptor === -1 || this.#size > SEGMENT_LIMIT) this.#startSegment(sequence);
    const entry = { stream: this.stream, sequence, count, position, end, lines };
    let size: number;
    try {
      size = writeEntry(this.#descriptor, this.#size, entry);
      if (this.#sync) fdatasyncSync(this.#descriptor);
    } catch (error) {
      ftruncateSync(this.#descriptor, this.#size);
      throw error;
    }
    this.#size = size;
    this.#added(entry);
    return sequence;
  }

  /** Stores that everything up to `sequence` is delivered, and removes segments. */
  acknowledge(sequence: number): void {
    if (sequence <= this.acknowledged) return;
    const { stream } = this;
    let { position, ended } = this.#mark.value;
    while (this.#ends[0] !== undefined && this.#ends[0].last <= sequence) {
      ({ position, ended } = this.#ends.shift()!);
    }
    this.#mark.write({ stream, acknowledged: Math.min(sequence, this.last), position, ended });
    // The newest entry tells the source's position: never remove it.
    const kept = this.#size > 0 ? 1 : 2;
    while (this.#segments.length > kept && this.#segments[1]! <= sequence + 1) {
      unlinkSync(this.#path(this.#segments.shift()!));
    }
  }

  /**
   * Stores that the consumer acknowledged records that are not here: the next `open` starts a new
   * stream with what is pending.
   */
  distrust(): void {
    this.#mark.write({ ...this.#mark.value, short: true });
  }

  close(): void {
    if (this.#descriptor !== -1) closeSync(this.#descriptor);
    this.#descriptor = -1;
    this.#mark.close();
    closeSync(this.#lock);
  }

  #path(first: number): string {
    return join(this.#directory, `${String(first).padStart(16, '0')}.log`);
  }

  #added(entry: Entry) {
    this.last = lastOf(entry);
    this.position = entry.position;
    this.ended = entry.end;
    if (this.last > this.acknowledged) {
      this.#ends.push({ last: this.last, position: entry.position, ended: entry.end });
    }
  }

  /** Reads the entries of this stream, from the segment that has those after `acknowledged`. */
  *#entries(acknowledged: number): Generator<{ entry: Entry; segment: number; end: number }> {
    // A copy: acknowledgements remove segments during the iteration.
    const segments = [...this.#segments];
    for (const [i, segment] of segments.entries()) {
      if ((segments[i + 1] ?? Number.POSITIVE_INFINITY) <= acknowledged + 1) continue;
      for (const { entry, end } of readEntries(this.#path(segment), this.stream)) {
        if (entry.stream === this.stream) yield { entry, segment, end };
      }
    }
  }

  /** Reads the stream of the newest entry, in case the mark is missing. */
  #newestStream(): string | undefined {
    for (const segment of this.#segments.toReversed()) {
      for (const { entry } of readEntries(this.#path(segment))) return entry.stream;
    }
    return undefined;
  }

  #startSegment(first: number) {
    if (this.#segments.at(-1) !== first) {
      const descriptor = openSync(this.#path(first), 'wx+', 0o600);
      if (this.#descriptor !== -1) closeSync(this.#descriptor);
      this.#descriptor = descriptor;
      this.#segments.push(first);
      if (this.#sync) syncDirectory(this.#directory);
    }
    this.#size = 0;
  }

  /**
   * Finds the end of the journal and cuts off an incomplete entry.
   * @returns why records are missing, if some are.
   */
  #recover(delivered: number): string | undefined {
    const { acknowledged, position, ended, short } = this.#mark.value;
    this.position = position;
    this.ended = ended;
    let newest = { segment: -1, end: 0 };
    let next = acknowledged + 1;
    let gap: string | undefined;
    for (const { entry, segment, end } of this.#entries(0)) {
      if (lastOf(entry) >= next) {
        if (entry.sequence > next) gap ??= `records ${next} to ${entry.sequence - 1} are missing`;
        next = lastOf(entry) + 1;
      }
      newest = { segment, end };
      this.#added(entry);
    }
    if (short) return 'the consumer acknowledged records that it does not have';
    if (gap !== undefined) return gap;
    if (newest.segment === -1 && acknowledged > 0) return 'its records were removed';
    if (this.last < acknowledged) return `its records after ${this.last} are missing`;
    if (this.last < delivered) return `it ends at ${this.last}, ${delivered} were delivered`;
    if (this.#hasDamagedEnd(newest)) return `what follows record ${this.last} is damaged`;
    // Segments without an entry of this stream are left from a crash.
    for (const segment of this.#segments.filter((one) => one > newest.segment)) {
      rmSync(this.#path(segment));
    }
    this.#segments = this.#segments.filter((one) => one <= newest.segment);
    if (newest.segment !== -1) {
      this.#descriptor = openSync(this.#path(newest.segment), 'r+');
      this.#size = newest.end;
      ftruncateSync(this.#descriptor, newest.end);
    }
    return undefined;
  }

  /** Whether something follows the newest entry that no interrupted write leaves. */
  #hasDamagedEnd(newest: { readonly segment: number; readonly end: number }): boolean {
    return this.#segments.some((segment) => {
      if (segment < newest.segment) return false;
      if (segment === newest.segment) return !endsInWriting(this.#path(segment), newest.end);
      // One of another stream is left from a new start that was interrupted.
      for (const _ of readEntries(this.#path(segment))) return false;
      return !endsInWriting(this.#path(segment), 0);
    });
  }

  /**
   * Starts a new stream after all numbers that were ever used, with the records that are pending.
   * A crash at any instant leaves the old journal, or the new one and segments that are ignored.
   */
  #renew(delivered: number) {
    const { acknowledged, position, ended } = this.#mark.value;
    const pending: Entry[] = [];
    let base = Math.max(acknowledged, delivered, this.last);
    let next = acknowledged + 1;
    for (const { entry } of this.#entries(acknowledged)) {
      base = Math.max(base, lastOf(entry));
      if (lastOf(entry) < next) continue;
      // After a gap, a source that can be read again is read from there.
      if (entry.sequence > next && entry.position > 0) break;
      pending.push(entry);
      next = lastOf(entry) + 1;
    }
    const old = [...this.#segments];
    const stream = newStream();
    this.#ends = [];
    this.#segments = [];
    this.last = base;
    this.position = position;
    this.ended = ended;
    const mark = { stream, acknowledged: base, position, ended };
    const salvage = join(this.#directory, 'salvage');
    const renewed: Entry[] = [];
    if (pending.length > 0) {
      this.#descriptor = openSync(salvage, 'wx+', 0o600);
      let sequence = base + 1;
      for (const entry of pending) {
        const known = Math.max(0, acknowledged + 1 - entry.sequence);
        const lines = entry.lines.subarray(skipLines(entry.lines, known));
        const one = { ...entry, stream, sequence, count: entry.count - known, lines };
        this.#size = writeEntry(this.#descriptor, this.#size, one);
        sequence += one.count;
        renewed.push(one);
      }
      fdatasyncSync(this.#descriptor);
      renameSync(salvage, this.#path(base + 1));
      this.#segments = [base + 1];
    }
    this.#mark.write(mark);
    for (const entry of renewed) this.#added(entry);
    for (const segment of old) rmSync(this.#path(segment), { force: true });
  }
}

function newStream(): string {
  return randomBytes(8).toString('hex');
}

function syncDirectory(path: string) {
  const descriptor = openSync(path, 'r');
  try {
    fdatasyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
