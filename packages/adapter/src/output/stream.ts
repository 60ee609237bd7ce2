import { write } from 'node:fs';
import { promisify } from 'node:util';
import { pause } from '@sidekit/core';
import { ndjson } from './encoding.ts';
import type { Output } from './output.ts';

const writeSome = promisify(write);

/** Writes all bytes to a descriptor; waits while a non-blocking pipe is full. */
export async function writeAll(fd: number, bytes: Buffer, signal: AbortSignal): Promise<void> {
  let at = 0;
  while (at < bytes.length) {
    try {
      at += (await writeSome(fd, bytes, at, bytes.length - at)).bytesWritten;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN' || signal.aborted) throw error;
      await pause(5, signal);
    }
  }
}

/** Writes JSON lines to stdout, and waits for the reader of a full pipe. */
export function stdoutOutput(fd = 1): Output {
  let position = 0;
  let current: unknown;
  return {
    name: 'stdout',
    encoding: ndjson,
    deliver: async (payload, _count, signal) => {
      // After a failure it continues where it stopped, so that lines stay complete.
      if (current !== payload) position = 0;
      current = payload;
      while (position < payload.length) {
        try {
          const { bytesWritten } = await writeSome(
            fd,
            payload.buffer,
            position,
            payload.length - position,
          );
          position += bytesWritten;
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code !== 'EAGAIN' || signal.aborted) throw error;
          await pause(5, signal);
        }
      }
      current = undefined;
      return {};
    },
  };
}
