import { closeSync, constants, fstatSync, openSync, readSync, writeSync } from 'node:fs';
import { crc32 } from 'node:zlib';

const HEADER = 48;
const MAGIC = 0x534b4a32;
/** The longest entry, in bytes: a block of a source never has more. */
const ENTRY_LIMIT = 64 * 1024 * 1024;

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

/** Reads the complete entries of a segment, each with the offset of its end. */
export function* readEntries(path: string): Generator<{ entry: Entry; end: number }> {
  const descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const header = Buffer.alloc(HEADER);
    const { size } = fstatSync(descriptor);
    for (let at = 0; readSync(descriptor, header, 0, HEADER, at) === HEADER; ) {
      const length = header.readUInt32BE(8);
      if (header.readUInt32BE(0) !== MAGIC || length > Math.min(ENTRY_LIMIT, size)) return;
      const lines = Buffer.alloc(length);
      if (readSync(descriptor, lines, 0, length, at + HEADER) !== length) return;
      if (crc32(lines, crc32(header.subarray(8))) !== header.readUInt32BE(4)) return;
      at += HEADER + length;
      const entry = {
        stream: header.toString('hex', 36, 44),
        sequence: header.readDoubleBE(16),
        count: header.readUInt32BE(12),
        position: header.readDoubleBE(24),
        end: header.readUInt32BE(32) === 1,
        lines,
      };
      yield { entry, end: at };
    }
  } finally {
    closeSync(descriptor);
  }
}

function writeAll(descriptor: number, bytes: Buffer, position: number) {
  for (let done = 0; done < bytes.length; ) {
    done += writeSync(descriptor, bytes, done, bytes.length - done, position + done);
  }
}
