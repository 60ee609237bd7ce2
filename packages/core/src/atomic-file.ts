import { randomBytes } from 'node:crypto';
import { type FileHandle, open, rename, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

export interface AtomicFileOptions {
  /** The mode of the file from its first byte on, whatever the umask; 0644 by default. */
  readonly mode?: number;
  /** Whether content and name must survive a power failure; true by default. */
  readonly fsync?: boolean;
}

/** What the name of every temporary file starts with, so that a start can sweep them. */
export const TEMPORARY_PREFIX = '.sidekit-tmp-';

/**
 * Replaces a file so that a reader, or a crash at any instant, finds the old or the new content
 * whole: temporary file beside it (O_EXCL, final mode) → write → fsync → rename(2) → fsync of
 * the directory. Where it fails, the temporary file is removed and the old one untouched.
 * @throws the system call's error (ENOSPC, EACCES, EROFS, EBUSY where `path` is a mount point).
 */
export async function writeFileAtomic(
  path: string,
  data: string | Uint8Array,
  { mode = 0o644, fsync = true }: AtomicFileOptions = {},
): Promise<void> {
  const temporary = temporaryPath(path);
  const file = await open(temporary, 'wx', mode);
  try {
    try {
      // open(2) applies the umask; a reader of another UID may need the full mode.
      await file.chmod(mode);
      await file.writeFile(data);
      if (fsync) await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await unlink(temporary).catch(() => {});
    throw error;
  }
  if (fsync) await syncDirectory(dirname(path));
}

/** A new name beside `path`, on the same file system so that rename(2) is atomic. */
export function temporaryPath(path: string): string {
  const unique = `${process.pid}-${randomBytes(6).toString('hex')}`;
  return join(dirname(path), `${TEMPORARY_PREFIX}${unique}-${basename(path)}`.slice(0, 255));
}

/** Makes the names in a directory durable (fsync(2) on the directory). */
export async function syncDirectory(path: string): Promise<void> {
  let directory: FileHandle | undefined;
  try {
    directory = await open(path, 'r');
    await directory.sync();
  } finally {
    await directory?.close();
  }
}
