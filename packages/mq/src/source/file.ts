import { closeSync, createReadStream, fstatSync, openSync, readSync } from 'node:fs';
import { fileFailure } from '../failures.ts';
import { LineBlocks } from './line-blocks.ts';
import type { Block, Source, SourceStart } from './source.ts';
import { streamSource } from './stream.ts';

/** Reads the lines of a file to its end. */
export async function fileSource(path: string, { position }: SourceStart): Promise<Source> {
  let descriptor: number;
  try {
    descriptor = openSync(path, 'r');
  } catch (error) {
    throw fileFailure('--file cannot be read', path, error);
  }
  if (!fstatSync(descriptor).isFile()) {
    return streamSource(createReadStream('', { fd: descriptor }), path);
  }
  const blocks = await LineBlocks.create(path, position);
  let offset = position;
  let ended = false;
  return {
    finite: true,
    close: () => closeSync(descriptor),
    // Read from the page cache, a block at a time: a thread's round trip would cost more.
    read: (stopping): Block | undefined => {
      while (!ended && !stopping.aborted) {
        const room = blocks.room();
        let length: number;
        try {
          length = readSync(descriptor, room, 0, room.length, offset);
        } catch (error) {
          throw fileFailure('--file cannot be read', path, error);
        }
        offset += length;
        ended = length === 0;
        const block = ended ? blocks.rest() : blocks.take(length);
        if (block) return block;
      }
      return undefined;
    },
  };
}
