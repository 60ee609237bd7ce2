import { writeSync } from 'node:fs';

const STDERR = 2;
let streaming = false;

/**
 * Writes a text to stderr in order and completely, as `process.stderr` does, without loading that
 * stream, and with its errors answered in this one place. A pipe whose other end made it non-blocking (EAGAIN) is left to the
 * stream from then on; a reader that has gone away never ends the work.
 */
export function writeStderr(text: string): void {
  const bytes = Buffer.from(text);
  let written = 0;
  try {
    while (!streaming && written < bytes.length)
      written += writeSync(STDERR, bytes, written, bytes.length - written);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') return;
    streaming = true;
    process.stderr.on('error', () => {});
  }
  if (written < bytes.length) process.stderr.write(bytes.subarray(written));
}
