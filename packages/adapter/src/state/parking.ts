import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type Log, writeFileAtomic } from '@sidekit/core';
import type { Output } from '../output/output.ts';
import type { Segment } from '../output/segment.ts';
import { makeDirectory } from './make-directory.ts';

/** The first line of a parked batch, as JSON; the encoded records follow, one per line. */
export interface ParkedHeader {
  readonly output: string;
  readonly encoding: string;
  readonly records: number;
  readonly reason: string;
}

export const PARKED_EXTENSION = '.batch';

/**
 * Stores refused batches as files, up to `limit` bytes in total.
 * @returns the function that stores one; it rejects if the disk is full.
 */
export function parking(directory: string, limit: number, log: Log) {
  let count = 0;
  return async ({ name, encoding }: Output, segment: Segment, reason: string): Promise<boolean> => {
    makeDirectory(directory);
    let used = 0;
    for (const entry of readdirSync(directory)) {
      used += statSync(join(directory, entry), { throwIfNoEntry: false })?.size ?? 0;
    }
    if (used + segment.bytes.length > limit) {
      log.warn('the directory of parked batches is full', { event: 'park_full', directory, limit });
      return false;
    }
    const header: ParkedHeader = {
      output: name,
      encoding: encoding.name,
      records: segment.count,
      reason,
    };
    const content = Buffer.concat([Buffer.from(`${JSON.stringify(header)}\n`), segment.bytes]);
    const path = join(directory, `${Date.now()}-${process.pid}-${++count}${PARKED_EXTENSION}`);
    await writeFileAtomic(path, content, { mode: 0o600 });
    return true;
  };
}
