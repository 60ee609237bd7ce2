import { constants } from 'node:os';

/** Symbolic names of errno values: EAGAIN, ENOENT… */
const NAMES: ReadonlyMap<number, string> = new Map(
  // The aliases (EWOULDBLOCK) come later in the table and must not win.
  Object.entries(constants.errno)
    .toReversed()
    .map(([name, value]) => [value, name]),
);

export const errno: Readonly<typeof constants.errno> = constants.errno;

/** Returns the symbolic name of an errno value. */
export function errnoName(value: number): string {
  return value === errno.EAGAIN ? 'EAGAIN' : (NAMES.get(value) ?? `errno ${value}`);
}

export interface PosixMQErrorWords {
  /** The symbolic errno: `EMFILE`. */
  readonly code: string;
  /** The function that failed: `mq_open`. */
  readonly syscall: string;
  readonly queue: string;
  /** The reason, as a clause with the values and the limits found. */
  readonly reason: string;
  /** The remedy, as an imperative clause; absent if there is no general one. */
  readonly remedy?: string | undefined;
}

/** Reports a failed queue operation: the reason with the limit found, and the remedy. */
export class PosixMQError extends Error {
  readonly code: string;
  readonly errno: number;
  readonly syscall: string;
  readonly queue: string;
  readonly reason: string;
  readonly remedy: string | undefined;

  constructor({ code, syscall, queue, reason, remedy }: PosixMQErrorWords) {
    super(`queue ${queue} ${reason} (${syscall}: ${code})${remedy ? `: ${remedy}` : ''}`);
    this.name = 'PosixMQError';
    this.code = code;
    this.errno = (constants.errno as Record<string, number>)[code] ?? 0;
    this.syscall = syscall;
    this.queue = queue;
    this.reason = reason;
    this.remedy = remedy;
  }
}
