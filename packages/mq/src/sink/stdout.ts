import { ExpectedError, errorText } from '@sidekit/core';
import { FinalError } from '../retry.ts';
import type { Sink } from './sink.ts';

/** Writes lines to stdout; a block is delivered once the pipe, terminal or file has taken it. */
export function stdoutSink(): Sink {
  // Without a listener an error of the stream would end the process.
  process.stdout.on('error', () => {});
  return {
    write: (bytes, start, end) =>
      new Promise((resolve, reject) => {
        process.stdout.write(bytes.subarray(start, end), (error) => {
          if (!error) resolve();
          else reject(new FinalError(new ExpectedError(`stdout is closed: ${errorText(error)}`)));
        });
      }),
    close: () => {},
  };
}
