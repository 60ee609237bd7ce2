import type { Readable } from 'node:stream';
import { ExpectedError, errorText } from '@sidekit/core';
import { aborted, firstOf } from '../first-of.ts';
import { LineBlocks } from './line-blocks.ts';
import type { Block, Source } from './source.ts';

/**
 * Reads the lines of a stream such as stdin. It cannot be read twice: lines that a killed process
 * had read and not put into the journal are lost.
 */
export async function streamSource(
  stream: Readable,
  name: string,
  longest: number,
): Promise<Source> {
  const blocks = await LineBlocks.create({ name, longest });
  let chunk: Buffer = Buffer.alloc(0);
  let failure: Error | undefined;
  let ended = false;
  let finished = false;
  stream.on('error', (error) => (failure = error));
  stream.on('end', () => (ended = true));
  stream.on('close', () => (ended = true));

  /** Waits for bytes, the end or a stop. */
  const next = async (stopping: AbortSignal): Promise<void> => {
    while (chunk.length === 0 && !ended && !failure && !stopping.aborted) {
      const read: Buffer | null = stream.read();
      if (read !== null) {
        chunk = read;
        return;
      }
      await firstOf(aborted(stopping), (done) => {
        const events = ['readable', 'end', 'close', 'error'] as const;
        for (const event of events) stream.once(event, done);
        return () => {
          for (const event of events) stream.off(event, done);
        };
      });
    }
  };

  return {
    finite: true,
    close: () => stream.destroy(),
    read: async (stopping): Promise<Block | undefined> => {
      for (;;) {
        const block = blocks.next();
        if (block || finished) return block;
        await next(stopping);
        if (stopping.aborted) return undefined;
        if (failure) throw new ExpectedError(`${name} cannot be read: ${errorText(failure)}`);
        const length = chunk.copy(blocks.room());
        chunk = chunk.subarray(length);
        blocks.filled(length);
        finished = length === 0;
        if (finished) blocks.finish();
      }
    },
  };
}
