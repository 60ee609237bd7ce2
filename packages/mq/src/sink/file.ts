import { closeSync, fdatasyncSync, fstatSync, ftruncateSync, type Stats, writeSync } from 'node:fs';
import { ExpectedError, type Log } from '@sidekit/core';
import { fileFailure } from '../failures.ts';
import type { SinkMark } from '../journal/delivered-offsets.ts';
import { openRegularFile } from '../regular-file.ts';
import type { Sink } from './sink.ts';

/**
 * Appends lines to a file. With `mark`, lines that a killed process appended after it are cut off,
 * since they are sent again: each record is in the file once.
 */
export function fileSink(path: string, mark: SinkMark | undefined, log: Log): Sink {
  let descriptor: number | undefined;
  let stats: Stats;
  try {
    descriptor = openRegularFile(path, 'a', { alsoDevices: true });
    if (descriptor === undefined) {
      throw new ExpectedError(`--file ${path} is not a file: give a file, or use --sink stdout`);
    }
    stats = fstatSync(descriptor);
    if (mark && stats.isFile() && stats.ino === mark.inode && stats.size > mark.size) {
      log.info('cutting off what was not acknowledged', {
        event: 'sink_truncated',
        path,
        bytes: stats.size - mark.size,
      });
      ftruncateSync(descriptor, mark.size);
    }
  } catch (error) {
    if (error instanceof ExpectedError) throw error;
    throw fileFailure('--file cannot be written', path, error);
  }
  const { ino: inode } = stats;
  const regular = stats.isFile();
  /** Counts the bytes of the block that were written before a failure. */
  let done = 0;
  return {
    write: (bytes, start, end) => {
      while (start + done < end) {
        done += writeSync(descriptor, bytes, start + done, end - start - done);
      }
      done = 0;
    },
    mark: () => (regular ? { inode, size: fstatSync(descriptor).size } : undefined),
    sync: () => {
      if (regular) fdatasyncSync(descriptor);
    },
    close: () => closeSync(descriptor),
  };
}
