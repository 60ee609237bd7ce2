import { constants } from 'node:fs';
import { replaceFile } from '@sidekit/core';
import type { LineContent } from '../content.ts';
import { Failure } from '../failure.ts';
import { fileTrace } from './file.ts';
import type { Outcome, WriteSettings } from './settings.ts';

/** Never creates the file: one whose owner cannot be set would stay behind. */
const APPEND = constants.O_WRONLY | constants.O_APPEND | constants.O_NONBLOCK;

/**
 * Appends one line to the target with a single write(2), so that a reader that follows the file
 * sees complete lines. A file that does not exist yet, or would grow beyond the limit, starts over
 * with this line, with its mode and owner set before the first byte.
 */
export async function appendLine(content: LineContent, settings: WriteSettings): Promise<Outcome> {
  const line = Buffer.from(content.text);
  if (!(await append(line, settings))) await replaceFile(settings.target, [line], settings);
  return { digest: '', size: line.length, changed: true, trace: await fileTrace(settings) };
}

/** @returns false if there is no file, or no room in it for the line. */
async function append(line: Buffer, settings: WriteSettings): Promise<boolean> {
  const { target, mode, owner, fsync, maxSize, fileSystem } = settings;
  const file = await fileSystem.open(target, APPEND).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    // The error of a FIFO without a reader, or of a socket.
    if (error.code === 'ENXIO') {
      throw new Failure('not_a_file', `${target} is not a regular file: give another target`);
    }
    throw error;
  });
  if (file === undefined) return false;
  try {
    const stats = await file.stat();
    if (!stats.isFile()) {
      throw new Failure('not_a_file', `${target} is not a regular file: give another target`);
    }
    const { size } = stats;
    if (size + line.length > maxSize) return false;
    if (size === 0) {
      if (owner) await file.chown(owner.uid, owner.gid);
      await file.chmod(mode);
    }
    const { bytesWritten } = await file.write(line, 0, line.length, null);
    if (bytesWritten < line.length) {
      // A partial line is worse than none: remove it, the next try writes it completely.
      await file.truncate(size);
      throw new Failure(
        'disk_full',
        `${target} took ${bytesWritten} of ${line.length} bytes: the volume is full; raise the sizeLimit of the emptyDir, or lower --max-size`,
      );
    }
    if (fsync) await file.datasync();
    return true;
  } finally {
    await file.close();
  }
}
