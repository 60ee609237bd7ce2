import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type Log, writeFileAtomic } from '@sidekit/core';
import { makeDirectory } from './make-directory.ts';

/**
 * Stores refused batches as files, up to `limit` bytes in total.
 * @returns the function that stores one; it rejects if the disk is full.
 */
export function parking(directory: string, limit: number, log: Log) {
  let count = 0;
  return async (output: string, bytes: Buffer): Promise<boolean> => {
    makeDirectory(directory);
    let used = 0;
    for (const name of readdirSync(directory)) {
      used += statSync(join(directory, name), { throwIfNoEntry: false })?.size ?? 0;
    }
    if (used + bytes.length > limit) {
      log.warn('the directory of parked batches is full', {
        event: 'park_full',
        directory,
        limit,
      });
      return false;
    }
    const kind = output.replace(/[^A-Za-z0-9.-]+/g, '_').slice(0, 64);
    const path = join(directory, `${Date.now()}-${++count}-${kind}.batch`);
    await writeFileAtomic(path, bytes, { mode: 0o600 });
    return true;
  };
}
