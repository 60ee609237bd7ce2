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

/** Whether two files hold the same bytes at `position`. */
export function sameBytes(a: number, b: number, position: number, length: number): boolean {
  const left = readAt(a, position, length);
  return left.length === length && left.equals(readAt(b, position, length));
}
