import { constants } from 'node:fs';
import { open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ExpectedError, Sha256 } from '@sidekit/core';

/** A ConfigMap holds 1 MiB; this is for other directories. */
const MOST_FILES = 1000;
const MOST_BYTES = 64 * 1024 * 1024;

/**
 * Returns a digest of a file, or of the files of a directory without the hidden ones (such as the
 * `..data` of a ConfigMap) and without subdirectories; `absent` if there is nothing.
 * @throws {ExpectedError} beyond 1,000 files or 64 MiB, and the system call's error.
 */
export async function contentDigest(path: string): Promise<string> {
  const hash = new Sha256();
  let budget = MOST_BYTES;
  try {
    if (!(await stat(path)).isDirectory()) {
      await addFile(hash, path, budget);
      return hash.digest();
    }
    const names = (await readdir(path)).filter((name) => !name.startsWith('.')).toSorted();
    if (names.length > MOST_FILES) {
      throw new ExpectedError(`${path} has more than ${MOST_FILES} files: watch one of them`);
    }
    for (const name of names) {
      hash.update(`${name}\0`);
      const size = await addFile(hash, join(path, name), budget);
      hash.update(`\0${size}\0`);
      budget -= size;
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 'absent';
    throw error;
  }
  return hash.digest();
}

/** @returns the bytes that were read; 0 of what is not a regular file. */
async function addFile(hash: Sha256, path: string, budget: number): Promise<number> {
  await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  if (!(await file.stat()).isFile()) return 0;
  const buffer = Buffer.alloc(64 * 1024);
  for (let size = 0; ; ) {
    const { bytesRead } = await file.read(buffer, 0, buffer.length);
    if (bytesRead === 0) return size;
    size += bytesRead;
    if (size > budget) {
      throw new ExpectedError(`${path} has more than 64 MiB: watch a smaller file`);
    }
    hash.update(buffer.subarray(0, bytesRead));
  }
}
