import * as nodeFileSystem from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { Sha256 } from './sha256.ts';

/** The calls that writing needs, in the shape of `node:fs/promises`; a test passes its own. */
export type FileSystem = Pick<
  typeof nodeFileSystem,
  'open' | 'rename' | 'unlink' | 'mkdir' | 'symlink' | 'readlink' | 'readdir' | 'lstat' | 'rm'
>;

export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

export interface AtomicFileOptions {
  /** The mode of the file from its first byte on, whatever the umask; 0644 by default. */
  readonly mode?: number;
  /** The owner from the first byte on; that of the process by default. */
  readonly owner?: Owner | undefined;
  /** Whether content and name must survive a power failure; true by default. */
  readonly fsync?: boolean;
  readonly fileSystem?: FileSystem;
}

export type Chunks = Iterable<Uint8Array> | AsyncIterable<Uint8Array>;

/** The beginning of every temporary file's name, so that a start can sweep them. */
export const TEMPORARY_PREFIX = '.sidekit-tmp-';

/**
 * Replaces a file so that a reader, or a crash at any instant, finds the old or the new content
 * complete: temporary file next to it (O_EXCL, final mode) → write → fsync → rename(2) → fsync of
 * the directory. If it fails, the temporary file is removed and the old one untouched.
 * @throws the system call's error (ENOSPC, EACCES, EROFS, EBUSY if `path` is a mount point).
 */
export async function writeFileAtomic(
  path: string,
  data: string | Uint8Array,
  options: AtomicFileOptions = {},
): Promise<void> {
  const bytes = typeof data === 'string' ? Buffer.from(data) : data;
  await replaceFile(path, [bytes], options);
}

/**
 * `writeFileAtomic` for content that comes in chunks. `accept` is asked once all of
 * it is written and before it is visible: false drops it, an error refuses it.
 * @returns whether the file was replaced.
 */
export async function replaceFile(
  path: string,
  chunks: Chunks,
  options: AtomicFileOptions & { readonly accept?: () => boolean | Promise<boolean> } = {},
): Promise<boolean> {
  const { fsync = true, fileSystem = nodeFileSystem, accept } = options;
  const temporary = temporaryPath(path);
  try {
    if (!(await writeNew(temporary, chunks, options, accept))) {
      await fileSystem.unlink(temporary);
      return false;
    }
    await fileSystem.rename(temporary, path);
  } catch (error) {
    await fileSystem.unlink(temporary).catch(() => {});
    throw error;
  }
  if (fsync) await syncDirectory(dirname(path), fileSystem);
  return true;
}

/** Makes a file that must not exist yet (O_EXCL), with its final mode and owner, and syncs it. */
export async function writeNewFile(
  path: string | Buffer,
  chunks: Chunks,
  options: AtomicFileOptions = {},
): Promise<void> {
  await writeNew(path, chunks, options);
}

/** @returns false if `accept` dropped it: unsynced, since a sync may take long for nothing. */
async function writeNew(
  path: string | Buffer,
  chunks: Chunks,
  { mode = 0o644, owner, fsync = true, fileSystem = nodeFileSystem }: AtomicFileOptions,
  accept?: () => boolean | Promise<boolean>,
): Promise<boolean> {
  const file = await fileSystem.open(path, 'wx', mode);
  try {
    if (owner) await file.chown(owner.uid, owner.gid);
    // open(2) applies the umask, and chown(2) clears bits; a reader of another UID may need all.
    await file.chmod(mode);
    for await (const chunk of chunks) await writeAll(file, chunk);
    if (accept && !(await accept())) return false;
    if (fsync) await file.sync();
    return true;
  } finally {
    await file.close();
  }
}

async function writeAll(file: nodeFileSystem.FileHandle, chunk: Uint8Array): Promise<void> {
  for (let offset = 0; offset < chunk.length; ) {
    offset += (await file.write(chunk, offset)).bytesWritten;
  }
}

/** A new name next to `path`, on the same file system so that rename(2) is atomic. */
export function temporaryPath(path: string): string {
  // Whoever guesses it gains nothing: it is created with O_EXCL.
  const random = Math.floor(Math.random() * 2 ** 48)
    .toString(16)
    .padStart(12, '0');
  const unique = `${process.pid}-${random}`;
  return join(dirname(path), `${TEMPORARY_PREFIX}${unique}-${temporarySuffix(path)}`);
}

/** Whether `name` is that of a temporary file which was made to replace `path`. */
export function isTemporaryOf(name: string, path: string): boolean {
  const suffix = /^\d+-[0-9a-f]{12}-(.*)$/s.exec(name.slice(TEMPORARY_PREFIX.length))?.[1];
  return name.startsWith(TEMPORARY_PREFIX) && suffix === temporarySuffix(path);
}

/** The name itself, or a hash if the name would be longer than NAME_MAX, 255 bytes. */
function temporarySuffix(path: string): string {
  const name = basename(path);
  if (Buffer.byteLength(name) <= 200) return name;
  return new Sha256().update(name).digest();
}

/** Makes the names in a directory durable (fsync(2) on the directory). */
export async function syncDirectory(
  path: string,
  fileSystem: Pick<FileSystem, 'open'> = nodeFileSystem,
): Promise<void> {
  const directory = await fileSystem.open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
