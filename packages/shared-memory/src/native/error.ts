import { constants } from 'node:os';

/** Symbolic names of errno values: EAGAIN, ENOENT… */
const NAMES: ReadonlyMap<number, string> = new Map(
  // The aliases (EWOULDBLOCK) come later in the table and must not win.
  Object.entries(constants.errno)
    .toReversed()
    .map(([name, value]) => [value, name]),
);

/** Errno values that Node's table lacks (include/uapi/asm-generic/errno.h). */
const MORE: ReadonlyMap<number, string> = new Map([[43, 'EIDRM']]);

export const errno = { ...constants.errno, EIDRM: 43 } as const;

export function errnoName(value: number): string {
  if (value === errno.EAGAIN) return 'EAGAIN';
  return NAMES.get(value) ?? MORE.get(value) ?? `errno ${value}`;
}

export interface SharedMemoryErrorWords {
  /** The symbolic errno: `ENOSPC`. EBADMSG stands for a ring whose contents break its layout. */
  readonly code: string;
  /** The function that failed: `fallocate`. */
  readonly syscall: string;
  /** The kind and name of what it was called for: `segment /frames`. */
  readonly subject: string;
  /** Why, as a clause with the values and the limits found. */
  readonly reason: string;
  /** The remedy, as an imperative clause; absent if nothing general helps. */
  readonly remedy?: string | undefined;
}

/** A failed operation: what failed, why with the limit found, and what to do about it. */
export class SharedMemoryError extends Error {
  readonly code: string;
  readonly errno: number;
  readonly syscall: string;
  readonly subject: string;
  readonly reason: string;
  readonly remedy: string | undefined;

  constructor({ code, syscall, subject, reason, remedy }: SharedMemoryErrorWords) {
    super(`${subject} ${reason} (${syscall}: ${code})${remedy ? `: ${remedy}` : ''}`);
    this.name = 'SharedMemoryError';
    this.code = code;
    this.errno = (errno as Record<string, number>)[code] ?? 0;
    this.syscall = syscall;
    this.subject = subject;
    this.reason = reason;
    this.remedy = remedy;
  }
}
