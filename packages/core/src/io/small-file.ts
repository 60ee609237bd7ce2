import { closeSync, constants, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { formatSize } from '../options/units.ts';

const CHUNK = 16 * 1024;

/**
 * Reads a small file that an option names, such as a token or certificates, without ever waiting:
 * to open a FIFO waits for a writer, and the event loop with it.
 * @param limit in bytes.
 * @throws Error if it is not a regular file or larger than `limit`; the system call's error.
 */
export function readSmallFile(path: string, limit: number): Buffer {
  // Before the open, which may have effects on a device, and after it, against an exchange.
  refuseOthers(statSync(path).isFile());
  const descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    refuseOthers(fstatSync(descriptor).isFile());
    const chunks: Buffer[] = [];
    for (let total = 0; ; ) {
      const chunk = Buffer.allocUnsafe(Math.min(CHUNK, limit + 1 - total));
      const length = readSync(descriptor, chunk);
      if (length === 0) return Buffer.concat(chunks, total);
      chunks.push(chunk.subarray(0, length));
      total += length;
      if (total > limit) throw new Error(`it is larger than ${formatSize(limit)}`);
    }
  } finally {
    closeSync(descriptor);
  }
}

function refuseOthers(regular: boolean): void {
  if (!regular)
    throw new Error('it is not a regular file, but a directory, FIFO, socket or device');
}
