import { randomBytes } from 'node:crypto';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { ExpectedError } from '@sidekit/core';
import { lockFile } from '@sidekit/shared-memory';
import { skipLines } from '../queue/lines.ts';
import { type Entry, lastOf } from './segment.ts';
import { type Place, Segments } from './segments.ts';
import { SlotFile } from './slot-file.ts';

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
 * A directory with `mark` (the stream's name and what is acknowledged), `lock`, and segments of
 * entries with a checksum. An incomplete entry at the end is cut off; entries behind damaged ones
 * are found. A journal that lost records (a power failure, an old copy of the volume, a removed
 * file) continues as a new stream: the consumer has numbers of the old one that would be used twice.
 */
export class Journal {
  readonly #mark: SlotFile<Mark>;
  readonly #lock: number;
  readonly #segments: Segments;
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
    const path = join(directory, 'lock');
    const lock = openSync(path, 'a', 0o600);
    try {
      if (await lockFile(lock, path)) return new Journal(options, lock);
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
    this.#lock = lock;
    this.#segments = new Segments(directory, sync);
    // In case the mark is missing: segments are removed only when they are acknowledged.
    const stream = this.#segments.newestStream();
    const removed = (this.#segments.oldest ?? 1) - 1;
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
    for (const { entry } of this.#segments.entries(this.stream, this.acknowledged)) {
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
    const entry = { stream: this.stream, sequence, count, position, end, lines };
    this.#segments.append(entry);
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
    this.#segments.removeUntil(sequence);
  }

  /**
   * Stores that the consumer acknowledged records that are not here: the next `open` starts a new
   * stream with what is pending.
   */
  distrust(): void {
    this.#mark.write({ ...this.#mark.value, short: true });
  }

  close(): void {
    this.#segments.close();
    this.#mark.close();
    closeSync(this.#lock);
  }

  #added(entry: Entry) {
    this.last = lastOf(entry);
    this.position = entry.position;
    this.ended = entry.end;
    if (this.last > this.acknowledged) {
      this.#ends.push({ last: this.last, position: entry.position, ended: entry.end });
    }
  }

  /**
   * Finds the end of the journal and cuts off an incomplete entry.
   * @returns why records are missing, if some are.
   */
  #recover(delivered: number): string | undefined {
    const { acknowledged, position, ended, short } = this.#mark.value;
    this.position = position;
    this.ended = ended;
    let newest: Place | undefined;
    let next = acknowledged + 1;
    let gap: string | undefined;
    for (const { entry, segment, end } of this.#segments.entries(this.stream, 0)) {
      if (lastOf(entry) >= next) {
        if (entry.sequence > next) gap ??= `records ${next} to ${entry.sequence - 1} are missing`;
        next = lastOf(entry) + 1;
      }
      newest = { segment, end };
      this.#added(entry);
    }
    if (short) return 'the consumer acknowledged records that it does not have';
    if (gap !== undefined) return gap;
    if (!newest && acknowledged > 0) return 'its records were removed';
    if (this.last < acknowledged) return `its records after ${this.last} are missing`;
    if (this.last < delivered) return `it ends at ${this.last}, ${delivered} were delivered`;
    if (this.#segments.hasDamagedEnd(newest)) return `what follows record ${this.last} is damaged`;
    this.#segments.resume(newest);
    return undefined;
  }

  /**
   * Starts a new stream after all numbers that were ever used, with the records that are pending.
   * A crash at any instant leaves the old journal, or the new one and segments that are ignored.
   */
  #renew(delivered: number) {
    const { stream: old, acknowledged, position, ended } = this.#mark.value;
    // Above every segment's name too: of one that is damaged, no entry may be readable.
    let base = Math.max(acknowledged, delivered, this.last, this.#segments.newest ?? 0);
    for (const { entry } of this.#segments.entries(old, 0)) base = Math.max(base, lastOf(entry));
    const stream = newStream();
    const removeOld = this.#segments.startOver(base + 1, this.#salvaged(stream, base + 1));
    this.#ends = [];
    this.last = base;
    this.position = position;
    this.ended = ended;
    this.#mark.write({ stream, acknowledged: base, position, ended });
    for (const { entry } of this.#segments.entries(stream, base)) this.#added(entry);
    removeOld();
  }

  /** Reads what is pending, numbered again from `first`. */
  *#salvaged(stream: string, first: number): Generator<Entry> {
    const { stream: old, acknowledged } = this.#mark.value;
    let next = acknowledged + 1;
    let sequence = first;
    for (const { entry } of this.#segments.entries(old, acknowledged)) {
      if (lastOf(entry) < next) continue;
      // After a gap, a source that can be read again is read from there.
      if (entry.sequence > next && entry.position > 0) return;
      const known = Math.max(0, acknowledged + 1 - entry.sequence);
      const lines = entry.lines.subarray(skipLines(entry.lines, known));
      yield { ...entry, stream, sequence, count: entry.count - known, lines };
      sequence += entry.count - known;
      next = lastOf(entry) + 1;
    }
  }
}

function newStream(): string {
  return randomBytes(8).toString('hex');
}
