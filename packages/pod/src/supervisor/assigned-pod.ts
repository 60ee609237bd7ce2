import { read } from 'node:fs';

/** The longest path that is read (PATH_MAX of Linux), in bytes. */
const LIMIT = 4096;

/**
 * Waits for the path of the Pod's folder on stdin, which the command that started this process
 * writes when it has created the Pod.
 * @returns undefined if that command has ended without it.
 */
export async function assignedPod(): Promise<string | undefined> {
  const buffer = Buffer.alloc(LIMIT);
  let length = 0;
  for (;;) {
    const added = await readSome(buffer, length);
    if (added === 0) return length === 0 ? undefined : buffer.toString('utf8', 0, length);
    length += added;
  }
}

/** Not by `process.stdin`, which loads modules that a supervisor does not need. */
function readSome(buffer: Buffer, offset: number): Promise<number> {
  return new Promise((resolve, reject) => {
    read(0, buffer, offset, buffer.length - offset, null, (error, length) => {
      if (error) reject(error);
      else resolve(length);
    });
  });
}
