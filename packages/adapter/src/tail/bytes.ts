import { hash } from 'node:crypto';
import { readSync } from 'node:fs';

/** How much of a file's beginning is its fingerprint, in bytes; less while the file is shorter. */
export const HEAD_LENGTH = 1024;
/** How much before an offset is compared before the offset is trusted, in bytes. */
export const TAIL_LENGTH = 256;

/** Reads up to `length` bytes at `position` (pread(2)); shorter only at the end of the file. */
export function readAt(fd: number, position: number, length: number): Buffer {
  const buffer = Buffer.allocUnsafe(length);
  return buffer.subarray(0, readInto(fd, buffer, 0, length, position));
}

/** Fills `buffer` from `at` as far as the file goes; returns the number of bytes. */
export function readInto(
  fd: number,
  buffer: Buffer,
  at: number,
  length: number,
  position: number,
): number {
  let total = 0;
  while (total < length) {
    const read = readSync(fd, buffer, at + total, length - total, position + total);
    if (read === 0) break;
    total += read;
  }
  return total;
}

/** Reads the bytes before `offset` that are compared before the offset is trusted. */
export function tailBefore(fd: number, offset: number): Buffer {
  const length = Math.min(TAIL_LENGTH, offset);
  return readAt(fd, offset - length, length);
}

/** Hashes bytes for the state file, which must not hold content. */
export function fingerprint(bytes: Uint8Array): string {
  return hash('sha256', bytes, 'base64url').slice(0, 24);
}

/** The pieces in which two files are compared: most files that differ do so in their first bytes. */
const LEFT = Buffer.allocUnsafeSlow(16 * 1024);
const RIGHT = Buffer.allocUnsafeSlow(LEFT.length);

/** Whether two files hold the same `length` bytes at `position`. */
export function sameBytes(a: number, b: number, position: number, length: number): boolean {
  for (let done = 0; done < length; ) {
    const size = Math.min(LEFT.length, length - done);
    const at = position + done;
    if (readInto(a, LEFT, 0, size, at) < size || readInto(b, RIGHT, 0, size, at) < size) {
      return false;
    }
    if (LEFT.compare(RIGHT, 0, size, 0, size) !== 0) return false;
    done += size;
  }
  return true;
}
