import { closeSync, readSync } from 'node:fs';
import { ExpectedError } from '@sidekit/core';
import { fileFailure } from '../failures.ts';
import { openRegularFile } from '../regular-file.ts';
import { LineBlocks } from './line-blocks.ts';
import type { Block, Source, SourceStart } from './source.ts';

/** Reads the lines of a regular file to its end. @throws {ExpectedError} if it is anything else. */
export async function fileSource(path: string, start: SourceStart): Promise<Source> {
  let descriptor: number | undefined;
  try {
    descriptor = openRegularFile(path, 'r');
  } catch (error) {
    throw fileFailure('--file cannot be read', path, error);
  }
  if (descriptor === undefined) {
    throw new ExpectedError(
      `--file ${path} is not a regular file: give a file, or write what it has to stdin with --source stdin`,
    );
  }
  const blocks = await LineBlocks.create({ name: path, ...start });
  let offset = start.position;
  let ended = false;
  return {
    finite: true,
    close: () => closeSync(descriptor),
    // Read from the page cache, a block at a time: a thread's round trip would cost more.
    read: (stopping): Block | undefined => {
      while (!stopping.aborted) {
        const block = blocks.next();
        if (block || ended) return block;
        const room = blocks.room();
        let length: number;
        try {
          length = readSync(descriptor, room, 0, room.length, offset);
        } catch (error) {
          throw fileFailure('--file cannot be read', path, error);
        }
        offset += length;
        blocks.filled(length);
        ended = length === 0;
        if (ended) blocks.finish();
      }
      return undefined;
    },
  };
}
