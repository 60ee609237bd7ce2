import { constants } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { formatSize } from '@sidekit/core';
import { Failure } from '../failure.ts';

/**
 * Opens a file for reading, and nothing else: to open a FIFO waits for a writer, and to open a
 * device may have effects, so both are refused before. O_NONBLOCK covers an exchange meanwhile.
 * @param flags further ones of open(2), such as O_NOFOLLOW.
 * @throws {Failure} if it is not a regular file; the error of stat(2) or open(2) otherwise.
 */
export async function openRegularFile(path: string | Buffer, flags = 0): Promise<FileHandle> {
  refuse(path, (await stat(path)).isFile());
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK | flags);
  try {
    refuse(path, (await file.stat()).isFile());
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** Reads a regular file completely. @throws {Failure} if it is larger than `limit` bytes. */
export async function readRegularFile(path: string | Buffer, limit: number): Promise<Buffer> {
  const file = await openRegularFile(path);
  try {
    // One byte more than allowed: the size of a file that grows, or of one in procfs, is no limit.
    const { size } = await file.stat();
    const chunks: Buffer[] = [];
    let total = 0;
    for (;;) {
      const buffer = Buffer.allocUnsafe(
        Math.min(Math.max(size - total, 0) + 1024, limit + 1 - total),
      );
      const { bytesRead } = await file.read(buffer, 0, buffer.length);
      total += bytesRead;
      if (total > limit) break;
      if (bytesRead === 0) return Buffer.concat(chunks, total);
      chunks.push(buffer.subarray(0, bytesRead));
    }
  } finally {
    await file.close();
  }
  throw new Failure('too_large', `${path} is larger than ${formatSize(limit)}: make it smaller`);
}

function refuse(path: string | Buffer, regular: boolean): void {
  if (regular) return;
  throw new Failure(
    'not_a_file',
    `${path} is not a regular file, but a directory, FIFO, socket or device: give the path of a file`,
  );
}
