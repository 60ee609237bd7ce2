import { readFileSync } from 'node:fs';

/** The limits of the kernel in this IPC namespace (kernel.sem, proc_sys_kernel(5)). */
export interface SemaphoreLimits {
  /** The most semaphores of one set (SEMMSL). */
  readonly perSet: number;
  /** The most semaphores altogether (SEMMNS). */
  readonly total: number;
  /** The most sets (SEMMNI). */
  readonly sets: number;
}

/** The largest value of a semaphore (SEMVMX of include/uapi/linux/sem.h). */
export const MAX_VALUE = 32_767;

/** Reads the limits that hold now; undefined if they cannot be read. Never throws. */
export function semaphoreLimits(): SemaphoreLimits | undefined {
  try {
    const [perSet = 0, total = 0, , sets = 0] = readFileSync('/proc/sys/kernel/sem', 'utf8')
      .trim()
      .split(/\s+/)
      .map(Number);
    return { perSet, total, sets };
  } catch {
    return undefined;
  }
}
