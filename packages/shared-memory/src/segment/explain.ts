import { statfsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { SharedMemoryError } from '../native/error.ts';

/** The directory in which Linux keeps shared memory (shm_overview(7)). */
export const SEGMENT_DIRECTORY = '/dev/shm';

/** A call for a segment that failed. */
export interface FailedCall {
  readonly syscall: string;
  readonly name: string;
  /** The size that was asked for, in bytes. */
  readonly size?: number;
}

type Words = { readonly reason: string; readonly remedy?: string };

/** Explains in words why a call for a segment failed, with the limits found on this machine. */
export function explainSegment(code: string, call: FailedCall): SharedMemoryError {
  const words = WORDS[code]?.(call) ?? { reason: 'cannot be used' };
  const { syscall, name } = call;
  return new SharedMemoryError({ code, syscall, subject: `segment ${name}`, ...words });
}

const WORDS: Readonly<Record<string, (call: FailedCall) => Words>> = {
  EACCES: ({ name }) => ({
    reason: `may not be opened by UID ${process.getuid?.()}${ownerOf(name)}`,
    remedy: 'create it with a wider mode, or run both sides with one runAsUser or group',
  }),
  EPERM: ({ name }) => ({
    reason: `may not be removed by UID ${process.getuid?.()}${ownerOf(name)}`,
    remedy: 'only its owner may remove it: let the side that created it unlink it',
  }),
  EEXIST: () => ({
    reason: 'exists already',
    remedy: 'leave out exclusive, or unlink it first',
  }),
  ENOENT: () => ({ reason: 'does not exist', remedy: 'open it with create' }),
  ENOSPC: ({ size }) => ({
    reason: `of ${size} B does not fit${freeSpace()}`,
    remedy:
      'make it smaller, remove what is left over there, or mount a larger emptyDir with medium: Memory at /dev/shm',
  }),
  ENOMEM: ({ size }) => ({
    reason: `of ${size} B does not fit into the memory that is left`,
    remedy: "make it smaller, or raise the container's memory limit",
  }),
  EROFS: () => ({
    reason: `cannot be created, ${SEGMENT_DIRECTORY} is read-only`,
    remedy: 'mount an emptyDir with medium: Memory at /dev/shm',
  }),
  ELOOP: () => ({ reason: 'is a symbolic link', remedy: 'remove it: segments are regular files' }),
  EMFILE: () => ({
    reason: 'cannot be opened, this process has too many descriptors open (RLIMIT_NOFILE)',
    remedy: 'close some, or raise the limit',
  }),
  ENFILE: () => ({
    reason: 'cannot be opened, the whole machine has too many files open (fs.file-max)',
    remedy: 'close some, or raise the limit',
  }),
};

/** The owner and mode of a segment, as far as its file can be seen. */
function ownerOf(name: string): string {
  try {
    const { uid, mode } = statSync(join(SEGMENT_DIRECTORY, name));
    return `, it belongs to UID ${uid} with mode 0${(mode & 0o777).toString(8)}`;
  } catch {
    return '';
  }
}

function freeSpace(): string {
  try {
    const { bavail, blocks, bsize } = statfsSync(SEGMENT_DIRECTORY);
    return `, ${SEGMENT_DIRECTORY} has ${bavail * bsize} B left of ${blocks * bsize} B`;
  } catch {
    return '';
  }
}
