import { statfsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { errorText, TEMPORARY_PREFIX } from '@sidekit/core';
import { Failure } from '../failure.ts';

/** The errors of open(2), write(2), rename(2) and the like, each with a reason and a remedy. */
const REMEDIES: Readonly<Record<string, readonly [reason: string, remedy: string]>> = {
  EBUSY: [
    'mount_point',
    'it is a mount point itself (a subPath or a single-file mount), and the inode under a mount cannot be replaced: mount the directory instead, and write a file in it',
  ],
  EROFS: [
    'read_only',
    'the file system is read-only: mount a writable volume there (an emptyDir, without readOnly)',
  ],
  EACCES: [
    'permission',
    'this user may not write in the directory: set fsGroup in the securityContext of the Pod, or the owner of the volume',
  ],
  EPERM: [
    'permission',
    'this user may not do that: --owner needs CAP_CHOWN; leave it out, or use runAsUser and fsGroup',
  ],
  EISDIR: [
    'is_directory',
    'it is a directory, which cannot be replaced atomically: choose a name that is free, or remove the directory; for a mounted volume, a name below it',
  ],
  ENOTEMPTY: ['is_directory', 'it is a directory with content: choose a name that is free'],
  ENOTDIR: ['not_directory', 'a part of its path is a file: correct --target'],
  ENOSPC: [
    'disk_full',
    'the volume is full: raise the sizeLimit of the emptyDir, or lower --keep and --max-size',
  ],
  EDQUOT: ['disk_full', 'the quota of the volume is used up: raise it, or lower --keep'],
  ENAMETOOLONG: ['name_too_long', 'a name has more than 255 bytes: give a shorter one'],
  EMFILE: ['descriptors', 'too many files are open: lower --concurrency'],
  EEXIST: [
    'unsafe_path',
    'the source gives two entries the same name, or a link and a directory: correct the source',
  ],
  ENOENT: ['missing_directory', 'its directory was removed while it was written'],
  EIO: ['input_output', 'the device failed: check the kernel log of the node'],
};

const TEMPORARY_NAME = new RegExp(`${RegExp.escape(TEMPORARY_PREFIX)}\\d+-[0-9a-f]{12}`, 'g');

/** ENOSPC also says that there is no free inode, while there is room for bytes. */
function inodesUsedUp(target: string): readonly [string, string] | undefined {
  try {
    const { files, ffree } = statfsSync(dirname(target));
    if (files === 0 || ffree > 0) return undefined;
    return ['inodes', 'the volume has no free inodes: lower --keep, or publish fewer files'];
  } catch {
    return undefined;
  }
}

/** Turns an error of a system call of the write path into a failure with its remedy. */
export function explainWrite(error: unknown, target: string): unknown {
  const { syscall, path } = error as NodeJS.ErrnoException;
  let { code } = error as NodeJS.ErrnoException;
  if (error instanceof Failure || code === undefined || !/^E[A-Z0-9]+$/.test(code)) return error;
  // mkdir(2) of a directory above the target, which is a file.
  if (code === 'EEXIST' && syscall === 'mkdir' && isAbove(path, target)) code = 'ENOTDIR';
  const [reason, remedy] = (code === 'ENOSPC' && inodesUsedUp(target)) ||
    REMEDIES[code] || ['write', 'see errno(3)'];
  // Every try has another temporary name, and a message that was logged before is not repeated.
  const text = errorText(error).replaceAll(TEMPORARY_NAME, `${TEMPORARY_PREFIX}…`);
  return new Failure(reason, `${target} cannot be written (${text}): ${remedy}`, {
    cause: undefined,
  });
}

function isAbove(path: string | undefined, target: string): boolean {
  return path !== undefined && `${dirname(resolve(target))}/`.startsWith(`${resolve(path)}/`);
}
