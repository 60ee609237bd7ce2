import {
  closeSync,
  fdatasyncSync,
  ftruncateSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  unlinkSync,
} from 'node:fs';
import { join } from 'node:path';
import { type Entry, endsInWriting, readEntries, writeEntry } from './segment.ts';

/** A segment is closed when it is longer than this, in bytes. */
const LIMIT = 8 * 1024 * 1024;
/** The name of a segment that is being written to replace all others. */
const SALVAGE = 'salvage';

/** The end of an entry. */
export interface Place {
  /** The first sequence of the segment. */
  readonly segment: number;
  /** The offset in the segment, in bytes. */
  readonly end: number;
}

/** The segments of a journal in a directory, each named by its first sequence; the last is written to. */
export class Segments {
  readonly #directory: string;
  readonly #sync: boolean;
  /** The first sequences, ascending. */
  #firsts: number[];
  #descriptor = -1;
  #size = 0;

  /** @param sync whether an entry is on the disk when `append` returns. */
  constructor(directory: string, sync: boolean) {
    this.#directory = directory;
    this.#sync = sync;
    rmSync(join(directory, SALVAGE), { force: true });
    this.#firsts = readdirSync(directory)
      .filter((name) => /^\d{16}\.log$/.test(name))
      .map((name) => Number(name.slice(0, 16)))
      .toSorted((a, b) => a - b);
  }

  /** The first sequences of the oldest and the newest segment. */
  get oldest(): number | undefined {
    return this.#firsts[0];
  }

  get newest(): number | undefined {
    return this.#firsts.at(-1);
  }

  /** Reads the stream of the newest entry, in case the mark is missing. */
  newestStream(): string | undefined {
    for (const segment of this.#firsts.toReversed()) {
      for (const { entry } of readEntries(this.#path(segment))) return entry.stream;
    }
    return undefined;
  }

  /** Reads the entries of a stream, from the segment that has those after `sequence`. */
  *entries(stream: string, sequence: number): Generator<Place & { readonly entry: Entry }> {
    // A copy: acknowledgements remove segments during the iteration.
    const segments = [...this.#firsts];
    for (const [i, segment] of segments.entries()) {
      if ((segments[i + 1] ?? Number.POSITIVE_INFINITY) <= sequence + 1) continue;
      for (const { entry, end } of readEntries(this.#path(segment), stream)) {
        if (entry.stream === stream) yield { entry, segment, end };
      }
    }
  }

  /** Whether something follows the newest entry of a stream that no interrupted write leaves. */
  hasDamagedEnd(newest: Place | undefined): boolean {
    return this.#firsts.some((segment) => {
      if (newest && segment < newest.segment) return false;
      if (newest && segment === newest.segment) {
        return !endsInWriting(this.#path(segment), newest.end);
      }
      // One of another stream is left from a new start that was interrupted.
      for (const _ of readEntries(this.#path(segment))) return false;
      return !endsInWriting(this.#path(segment), 0);
    });
  }

  /** Continues after the newest entry: cuts off what follows. */
  resume(newest: Place | undefined): void {
    const last = newest?.segment ?? -1;
    // Segments without an entry of this stream are left from a crash.
    for (const segment of this.#firsts.filter((one) => one > last)) rmSync(this.#path(segment));
    this.#firsts = this.#firsts.filter((one) => one <= last);
    if (!newest) return;
    this.#descriptor = openSync(this.#path(last), 'r+');
    this.#size = newest.end;
    ftruncateSync(this.#descriptor, newest.end);
  }

  /** Adds an entry. If it fails, nothing of it is left. @throws the system call's error. */
  append(entry: Entry): void {
    if (this.#descriptor === -1 || this.#size > LIMIT) this.#start(entry.sequence);
    try {
      const size = writeEntry(this.#descriptor, this.#size, entry);
      if (this.#sync) fdatasyncSync(this.#descriptor);
      this.#size = size;
    } catch (error) {
      ftruncateSync(this.#descriptor, this.#size);
      throw error;
    }
  }

  /** Removes segments of which every record is acknowledged. */
  removeUntil(acknowledged: number): void {
    // The newest entry tells the source's position: never remove it.
    const kept = this.#size > 0 ? 1 : 2;
    while (this.#firsts.length > kept && this.#firsts[1]! <= acknowledged + 1) {
      unlinkSync(this.#path(this.#firsts.shift()!));
    }
  }

  /**
   * Starts over with these entries in one segment, which is on the disk at the return.
   * @param first the sequence of the first entry, above `newest`.
   * @returns a function that removes the segments of before.
   */
  startOver(first: number, entries: Iterable<Entry>): () => void {
    const salvage = join(this.#directory, SALVAGE);
    this.#descriptor = openSync(salvage, 'wx+', 0o600);
    for (const entry of entries) this.#size = writeEntry(this.#descriptor, this.#size, entry);
    const old = this.#firsts;
    if (this.#size === 0) {
      this.#firsts = [];
      this.close();
      rmSync(salvage);
    } else {
      this.#firsts = [first];
      fdatasyncSync(this.#descriptor);
      renameSync(salvage, this.#path(first));
    }
    return () => {
      for (const segment of old) rmSync(this.#path(segment), { force: true });
    };
  }

  close(): void {
    if (this.#descriptor !== -1) closeSync(this.#descriptor);
    this.#descriptor = -1;
  }

  #path(first: number): string {
    return join(this.#directory, `${String(first).padStart(16, '0')}.log`);
  }

  #start(first: number) {
    if (this.newest !== first) {
      const descriptor = openSync(this.#path(first), 'wx+', 0o600);
      this.close();
      this.#descriptor = descriptor;
      this.#firsts.push(first);
      if (this.#sync) syncDirectory(this.#directory);
    }
    this.#size = 0;
  }
}

function syncDirectory(path: string) {
  const descriptor = openSync(path, 'r');
  try {
    fdatasyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
