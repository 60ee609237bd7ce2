import { type FileHandle, open, rename, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { makeDirectory } from '../state/make-directory.ts';
import { ndjson } from './encoding.ts';
import { ACCEPTED, type Output } from './output.ts';

export interface FileOutputOptions {
  readonly path: string;
  /** The size in bytes from which it is rotated; 0 never rotates. */
  readonly maxSize: number;
  /** The number of rotated files to keep: `path.1` is the newest. */
  readonly keep: number;
}

/** Writes JSON lines to a file, which it rotates between batches. */
export function fileOutput({ path, maxSize, keep }: FileOutputOptions): Output {
  let file: FileHandle | undefined;
  let size = 0;
  const ensure = async () => {
    if (file) return file;
    makeDirectory(dirname(path));
    await removeTornLine(path);
    file = await open(path, 'a', 0o644);
    size = (await file.stat()).size;
    return file;
  };
  const rotate = async () => {
    await file?.close();
    file = undefined;
    for (let i = keep - 1; i >= 1; i--)
      await rename(`${path}.${i}`, `${path}.${i + 1}`).catch(missing);
    if (keep > 0) await rename(path, `${path}.1`).catch(missing);
    else await (await open(path, 'w')).close();
  };
  return {
    name: `file:${path}`,
    encoding: ndjson,
    deliver: async ({ bytes }) => {
      let target = await ensure();
      if (maxSize > 0 && size > 0 && size + bytes.length > maxSize) {
        await rotate();
        target = await ensure();
      }
      const before = size;
      try {
        for (let at = 0; at < bytes.length; ) {
          at += (await target.write(bytes, at, bytes.length - at)).bytesWritten;
        }
      } catch (error) {
        // A full disk accepted only a part: remove it, so that no torn line remains.
        await target.truncate(before).catch(() => {});
        throw error;
      }
      size += bytes.length;
      // Another program may have renamed or removed the file.
      const named = await stat(path).catch(() => undefined);
      if (named?.ino !== (await target.stat()).ino) {
        await target.close();
        file = undefined;
      }
      return ACCEPTED;
    },
    close: async () => {
      await file?.close();
      file = undefined;
    },
  };
}

/** Removes the torn last line that a crash during a write left; it was not acknowledged. */
async function removeTornLine(path: string): Promise<void> {
  const file = await open(path, 'r+').catch(() => undefined);
  if (!file) return;
  try {
    const stats = await file.stat();
    if (!stats.isFile() || stats.size === 0) return;
    const chunk = Buffer.alloc(64 * 1024);
    for (let end = stats.size; end > 0; ) {
      const start = Math.max(0, end - chunk.length);
      const { bytesRead } = await file.read(chunk, 0, end - start, start);
      const feed = chunk.subarray(0, bytesRead).lastIndexOf(0x0a);
      if (feed !== -1 || start === 0) {
        const keep = start + feed + 1;
        if (keep < stats.size) await file.truncate(keep);
        return;
      }
      end = start;
    }
  } finally {
    await file.close();
  }
}

function missing(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error;
}
