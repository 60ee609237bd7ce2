import { randomBytes } from 'node:crypto';
import {
  closeSync,
  fstatSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { SlotFile } from './slot-file.ts';

/** A segment is closed when it is longer than this, in bytes; acknowledged ones are removed. */
const SEGMENT_LIMIT = 8 * 1024 * 1024;
const HEADER = 40;
const MAGIC = 0x534b4a31;
/** The longest entry, in bytes: the most that a block of a source holds. */
export const ENTRY_LIMIT = 64 * 1024 * 1024;

interface Mark {
  readonly stream: string;
  readonly acknowledged: number;
}

/** Records that were taken from the source, as lines, in the order of their sequence. */
export interface Entry {
  /** The sequence of the first record. */
  readonly sequence: number;
  readonly count: number;
  /** How far the source was read with this entry, in the source's own unit. */
  readonly position: number;
  /** Whether it is the exit message. */
  readonly end: boolean;
  readonly lines: Buffer;
}

/**
 * Keeps every record of the producer from before it is sent until it is acknowledged. It survives
 * SIGKILL at any instant (the kernel has what write(2) took); it is not synced to the disk, since
 * the volumes that containers share end with their node.
 *
 * A directory with `mark` (the stream's name and what is acknowledged) and segments, each named
 * by its first sequence, of entries with a checksum. A torn entry at the end is cut off.
 */
export class Journal {
  readonly #directory: string;
  readonly #mark: SlotFile<Mark>;
  /** The first sequences of the segments, ascending; the last one is written to. */
  #segments: number[];
  #descriptor = -1;
  #size = 0;
  /** The sequence of the last record in the journal; 0 if there is none. */
  last = 0;
  /** The source's position of the last entry; 0 if there is none. */
  position = 0;
  /** Whether the last record is the exit message. */
  ended = false;

  /** Opens or creates the journal. @throws the system call's error. */
  constructor(directory: string) {
    this.#directory = directory;
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    this.#mark = new SlotFile<Mark>(join(directory, 'mark'), {
      stream: randomBytes(8).toString('hex'),
      acknowledged: 0,
    });
    this.#segments = readdirSync(directory)
      .filter((name) => /^\d{16}\.log$/.test(name))
      .map((name) => Number(name.slice(0, 16)))
      .toSorted((a, b) => a - b);
    this.last = this.acknowledged;
    const newest = this.#segments.at(-1);
    if (newest !== undefined) this.#recover(newest);
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
    // A copy: acknowledgements remove segments during the iteration.
    const segments = [...this.#segments];
    for (const [i, first] of segments.entries()) {
      if ((segments[i + 1] ?? Number.POSITIVE_INFINITY) <= this.acknowledged + 1) continue;
      if (first > until) return;
      const descriptor = openSync(this.#path(first), 'r');
      try {
        for (const { entry } of readEntries(descriptor)) {
          if (entry.sequence > until) return;
          if (entry.sequence + entry.count - 1 > this.acknowledged) yield entry;
        }
      } finally {
        closeSync(descriptor);
      }
    }
  }

  /**
   * Adds records, as lines. If it fails (ENOSPC), nothing of them is left in the journal.
   * @returns the sequence of the first. @throws the system call's error.
   */
  append(lines: Buffer, count: number, position: number, end = false): number {
    const sequence = this.last + 1;
    if (this.#descriptor === -1 || this.#size > SEGMENT_LIMIT) this.#startSegment(sequence);
    const header = Buffer.alloc(HEADER);
    header.writeUInt32BE(MAGIC, 0);
    header.writeUInt32BE(lines.length, 8);
    header.writeUInt32BE(count, 12);
    header.writeDoubleBE(sequence, 16);
    header.writeDoubleBE(position, 24);
    header.writeUInt32BE(end ? 1 : 0, 32);
    header.writeUInt32BE(crc32(lines, crc32(header.subarray(8))), 4);
    try {
      writeAll(this.#descriptor, header, this.#size);
      writeAll(this.#descriptor, lines, this.#size + HEADER);
    } catch (error) {
      ftruncateSync(this.#descriptor, this.#size);
      throw error;
    }
    this.#size += HEADER + lines.length;
    this.last = sequence + count - 1;
    this.position = position;
    this.ended = end;
    return sequence;
  }

  /** Stores that everything up to `sequence` is delivered, and removes segments. */
  acknowledge(sequence: number): void {
    if (sequence <= this.acknowledged) return;
    this.#mark.write({ stream: this.stream, acknowledged: Math.min(sequence, this.last) });
    // The newest entry tells the source's position: never remove it.
    const kept = this.#size > 0 ? 1 : 2;
    while (this.#segments.length > kept && this.#segments[1]! <= sequence + 1) {
      const first = this.#segments.shift()!;
      unlinkSync(this.#path(first));
    }
  }

  close(): void {
    if (this.#descriptor !== -1) closeSync(this.#descriptor);
    this.#descriptor = -1;
    this.#mark.close();
  }

  #path(first: number): string {
    return join(this.#directory, `${String(first).padStart(16, '0')}.log`);
  }

  #startSegment(first: number) {
    if (this.#segments.at(-1) !== first) {
      const descriptor = openSync(this.#path(first), 'wx+', 0o600);
      if (this.#descriptor !== -1) closeSync(this.#descriptor);
      this.#descriptor = descriptor;
      this.#segments.push(first);
    }
    this.#size = 0;
  }

  /** Finds the end of the newest segment, and cuts off an incomplete entry. */
  #recover(first: number) {
    this.#descriptor = openSync(this.#path(first), 'r+');
    // An empty segment follows a complete one.
    if (fstatSync(this.#descriptor).size === 0 && this.#segments.length > 1) {
      closeSync(this.#descriptor);
      unlinkSync(this.#path(first));
      this.#segments.pop();
      this.#recover(this.#segments.at(-1)!);
      return;
    }
    for (const { entry, end } of readEntries(this.#descriptor)) {
      this.last = entry.sequence + entry.count - 1;
      this.position = entry.position;
      this.ended = entry.end;
      this.#size = end;
    }
    ftruncateSync(this.#descriptor, this.#size);
  }
}

/** Reads the complete entries of a segment, each with the offset of its end. */
function* readEntries(descriptor: number): Generator<{ entry: Entry; end: number }> {
  const header = Buffer.alloc(HEADER);
  for (let at = 0; readSync(descriptor, header, 0, HEADER, at) === HEADER; ) {
    const length = header.readUInt32BE(8);
    if (header.readUInt32BE(0) !== MAGIC || length > ENTRY_LIMIT) return;
    const lines = Buffer.alloc(length);
    if (readSync(descriptor, lines, 0, length, at + HEADER) !== length) return;
    if (crc32(lines, crc32(header.subarray(8))) !== header.readUInt32BE(4)) return;
    at += HEADER + length;
    const entry = {
      sequence: header.readDoubleBE(16),
      count: header.readUInt32BE(12),
      position: header.readDoubleBE(24),
      end: header.readUInt32BE(32) === 1,
      lines,
    };
    yield { entry, end: at };
  }
}

function writeAll(descriptor: number, bytes: Buffer, position: number) {
  for (let done = 0; done < bytes.length; ) {
    done += writeSync(descriptor, bytes, done, bytes.length - done, position + done);
  }
}
