import { closeSync, constants, fchmodSync, fstatSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { errno, errnoName, SharedMemoryError } from '../native/error.ts';
import type { Native } from '../native/native.ts';
import { explainSegment, SEGMENT_DIRECTORY } from './explain.ts';
import { checkSegmentName } from './name.ts';

export interface FileOptions {
  /** One slash, then 1–255 bytes without another: `/frames`. */
  readonly name: string;
  /** Creates the segment if it does not exist; false by default. */
  readonly create?: boolean;
  /** With `create`: fails with EEXIST if the segment exists; false by default. */
  readonly exclusive?: boolean;
  /**
   * Permissions of a segment that is created, as a number or octal text; 0600 by default. They
   * hold whatever the umask.
   */
  readonly mode?: number | string;
  /** The access with which it is opened; both by default. */
  readonly access?: 'read' | 'both';
}

export interface SegmentFile {
  readonly descriptor: number;
  /** In bytes. */
  readonly size: number;
  readonly created: boolean;
}

/** The largest segment, in bytes: 64 GiB. */
const MAX_SIZE = 2 ** 36;
/** O_TMPFILE (asm-generic/fcntl.h), which Node's constants lack: a file without a name. */
const O_TMPFILE = 0o20000000 | constants.O_DIRECTORY;
/** AT_FDCWD and AT_SYMLINK_FOLLOW of linkat(2). */
const AT_FDCWD = -100;
const AT_SYMLINK_FOLLOW = 0x400;

/**
 * Opens, or creates, the file of a segment. A new one has its size, its space, its mode and what
 * `initialize` wrote before it gets its name: nobody ever sees half of it, and a creator that is
 * killed leaves nothing behind.
 * @param size of a segment that is created, in bytes.
 * @throws {SharedMemoryError}
 */
export function openFile(
  native: Native,
  options: FileOptions,
  size: number | undefined,
  initialize?: (descriptor: number) => void,
): SegmentFile {
  const { name, create = false, exclusive = false, access = 'both' } = options;
  const broken = checkSegmentName(name);
  if (broken) throw invalid(name, broken.rule, broken.remedy);
  const mode = parseMode(name, options.mode ?? 0o600);
  if (create && access === 'read')
    throw invalid(name, 'cannot be created for reading', "use access: 'both'");
  if (create) checkSize(name, size);
  for (let attempt = 0; ; attempt++) {
    try {
      if (!create || !exclusive) return openExisting(name, access);
    } catch (error) {
      if (!create || (error as SharedMemoryError).code !== 'ENOENT' || attempt === 100) throw error;
    }
    try {
      return createFile(native, { name, mode, size: size as number }, initialize);
    } catch (error) {
      // Another process was faster: use its segment, if it is still there.
      if (exclusive || (error as SharedMemoryError).code !== 'EEXIST') throw error;
    }
  }
}

export function checkSize(name: string, size: number | undefined): void {
  if (Number.isInteger(size) && size! >= 1 && size! <= MAX_SIZE) return;
  throw invalid(name, `cannot have ${size} B`, `use a whole number from 1 to ${MAX_SIZE}`);
}

export function invalid(name: string, reason: string, remedy: string): SharedMemoryError {
  const subject = `segment ${name}`;
  return new SharedMemoryError({ code: 'EINVAL', syscall: 'shm_open', subject, reason, remedy });
}

/** Reserves memory for the whole file: ENOSPC now instead of SIGBUS at the first write. */
export function reserve(native: Native, descriptor: number, name: string, size: number): void {
  for (;;) {
    if (native.fallocate(descriptor, 0, 0, size) === 0) return;
    const code = errnoName(native.errno());
    if (code !== 'EINTR') throw explainSegment(code, { syscall: 'fallocate', name, size });
  }
}

function openExisting(name: string, access: 'read' | 'both'): SegmentFile {
  // A FIFO of this name would block without O_NONBLOCK.
  const flags = constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const descriptor = system('shm_open', name, () =>
    openSync(
      join(SEGMENT_DIRECTORY, name),
      flags | (access === 'read' ? constants.O_RDONLY : constants.O_RDWR),
    ),
  );
  const stats = fstatSync(descriptor);
  if (stats.isFile() && stats.size >= 1 && stats.size <= MAX_SIZE)
    return { descriptor, size: stats.size, created: false };
  closeSync(descriptor);
  if (!stats.isFile()) throw invalid(name, 'is not a regular file', 'remove it');
  throw invalid(
    name,
    `has ${stats.size} B`,
    'wait until the program that creates it has set its size, or remove it',
  );
}

function createFile(
  native: Native,
  { name, mode, size }: { name: string; mode: number; size: number },
  initialize?: (descriptor: number) => void,
): SegmentFile {
  const descriptor = system('shm_open', name, () =>
    openSync(SEGMENT_DIRECTORY, O_TMPFILE | constants.O_RDWR, 0o600),
  );
  try {
    reserve(native, descriptor, name, size);
    initialize?.(descriptor);
    fchmodSync(descriptor, mode);
    const [from, to] = [`/proc/self/fd/${descriptor}`, join(SEGMENT_DIRECTORY, name)];
    if (native.linkat(AT_FDCWD, from, AT_FDCWD, to, AT_SYMLINK_FOLLOW) !== 0)
      throw explainSegment(errnoName(native.errno()), { syscall: 'linkat', name, size });
    return { descriptor, size, created: true };
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
}

/** Runs a function of node:fs; its error becomes one that explains itself. */
export function system<T>(syscall: string, name: string, call: () => T): T {
  try {
    return call();
  } catch (error) {
    const value = (error as NodeJS.ErrnoException).errno;
    if (value === undefined) throw error;
    throw explainSegment(errnoName(Math.abs(value)), { syscall, name });
  }
}

function parseMode(name: string, mode: number | string): number {
  const value =
    typeof mode === 'number' ? mode : /^[0-7]{1,4}$/.test(mode) ? Number.parseInt(mode, 8) : -1;
  if (Number.isInteger(value) && value >= 0 && value <= 0o777) return value;
  throw invalid(name, `cannot have the mode ${mode}`, 'write it in octal, such as 0600');
}

export const isMissing = (error: unknown) =>
  error instanceof SharedMemoryError && error.errno === errno.ENOENT;
