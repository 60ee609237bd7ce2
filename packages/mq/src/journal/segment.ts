import { closeSync, constants, fstatSync, openSync, readSync, writeSync } from 'node:fs';
import { crc32 } from 'node:zlib';

const HEADER = 48;
/** Each entry begins with it. */
const MARK = Buffer.from('SKJ2');
const MAGIC = MARK.readUInt32BE();
/** The longest entry, in bytes: a block of a source never has more. */
const ENTRY_LIMIT = 64 * 1024 * 1024;
/** The size of the reads behind damage, in bytes. */
const WINDOW = 64 * 1024;

/** Records that were taken from the source, as lines, in the order of their sequence. */
export interface Entry {
  /** Names the numbering; a journal that lost records gets a new one. 16 hexadecimal digits. */
  readonly stream: string;
  /** The sequence of the first record. */
  readonly sequence: number;
  readonly count: number;
  /** How far the source was read with this entry, in the source's own unit. */
  readonly position: number;
  /** Whether it is the exit message. */
  readonly end: boolean;
  readonly lines: Buffer;
}

/** Returns the sequence of the last record of an entry. */
export function lastOf({ sequence, count }: Entry): number {
  return sequence + count - 1;
}

/** Writes an entry at an offset of a file. @returns its end. @throws the system call's error. */
export function writeEntry(descriptor: number, at: number, entry: Entry): number {
  const { lines } = entry;
  const header = Buffer.alloc(HEADER);
  header.writeUInt32BE(MAGIC, 0);
  header.writeUInt32BE(lines.length, 8);
  header.writeUInt32BE(entry.count, 12);
  header.writeDoubleBE(entry.sequence, 16);
  header.writeDoubleBE(entry.position, 24);
  header.writeUInt32BE(entry.end ? 1 : 0, 32);
  header.write(entry.stream, 36, 8, 'hex');
  header.writeUInt32BE(crc32(lines, crc32(header.subarray(8))), 4);
  writeAll(descriptor, header, at);
  writeAll(descriptor, lines, at + HEADER);
  return at + HEADER + lines.length;
}

/**
 * Reads the complete entries of a segment, each with the offset of its end. It ends at the first
 * one that is incomplete or damaged; with `stream`, at the last entry of that stream: what is
 * behind damage is found by the stream's name, which no record can guess.
 */
export function* readEntries(
  path: string,
  stream?: string,
): Generator<{ entry: Entry; end: number }> {
  const descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const { size } = fstatSync(descriptor);
    for (let at = 0; at < size; ) {
      const entry = readEntry(descriptor, at, size);
      if (entry !== undefined) {
        at += HEADER + entry.lines.length;
        yield { entry, end: at };
      } else if (stream === undefined) return;
      else at = findHeader(descriptor, at + 1, size, stream);
    }
  } finally {
    closeSync(descriptor);
  }
}

/** @returns undefined if there is no complete entry at this offset. */
function readEntry(descriptor: number, at: number, size: number): Entry | undefined {
  const header = Buffer.alloc(HEADER);
  if (readSync(descriptor, header, 0, HEADER, at) !== HEADER) return undefined;
  const length = header.readUInt32BE(8);
  if (header.readUInt32BE(0) !== MAGIC || length > Math.min(ENTRY_LIMIT, size)) return undefined;
  const lines = Buffer.alloc(length);
  if (readSync(descriptor, lines, 0, length, at + HEADER) !== length) return undefined;
  if (crc32(lines, crc32(header.subarray(8))) !== header.readUInt32BE(4)) return undefined;
  return {
    stream: header.toString('hex', 36, 44),
    sequence: header.readDoubleBE(16),
    count: header.readUInt32BE(12),
    position: header.readDoubleBE(24),
    end: header.readUInt32BE(32) === 1,
    lines,
  };
}

/** Finds where an entry of a stream may begin, from `from` on. @returns `size` if nowhere. */
function findHeader(descriptor: number, from: number, size: number, stream: string): number {
  const window = Buffer.alloc(WINDOW);
  for (let start = from; start < size; start += WINDOW - HEADER) {
    const length = readSync(descriptor, window, 0, WINDOW, start);
    for (let at = window.indexOf(MARK); at !== -1; at = window.indexOf(MARK, at + 1)) {
      if (at + HEADER > length) break;
      if (window.toString('hex', at + 36, at + 44) === stream) return start + at;
    }
  }
  return size;
}

/**
 * Whether what follows the last entry of a segment can be one whose writing was interrupted: it
 * is shorter than its header says. Anything else was complete once, and is damaged.
 */
export function endsInWriting(path: string, end: number): boolean {
  const descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const rest = fstatSync(descriptor).size - end;
    const start = Buffer.alloc(HEADER);
    readSync(descriptor, start, 0, HEADER, end);
    if (rest < HEADER) return MARK.indexOf(start.subarray(0, Math.min(rest, 4))) === 0;
    return start.readUInt32BE(0) === MAGIC && HEADER + start.readUInt32BE(8) > rest;
  } finally {
    closeSync(descriptor);
  }
}

function writeAll(descriptor: number, bytes: Buffer, position: number) {
  for (let done = 0; done < bytes.length; ) {
    done += writeSync(descriptor, bytes, done, bytes.length - done, position + done);
  }
}
