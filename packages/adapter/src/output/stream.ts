import { write } from 'node:fs';
import { promisify } from 'node:util';
import { pause } from '@sidekit/core';
import { ndjson } from './encoding.ts';
import { ACCEPTED, type Output } from './output.ts';
import type { Segment } from './segment.ts';

const writeSome = promisify(write);

/** Writes JSON lines to stdout, and waits for the reader of a full pipe. */
export function stdoutOutput(fd = 1): Output {
  let position = 0;
  let current: Segment | undefined;
  return {
    name: 'stdout',
    encoding: ndjson,
    deliver: async (segment, signal) => {
      // After a failure it continues where it stopped, so that lines stay complete.
      if (current !== segment) position = 0;
      current = segment;
      const { bytes } = segment;
      while (position < bytes.length) {
        try {
          position += (await writeSome(fd, bytes, position, bytes.length - position)).bytesWritten;
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code !== 'EAGAIN' || signal.aborted) throw error;
          await pause(5, signal);
        }
      }
      current = undefined;
      return ACCEPTED;
    },
  };
}
