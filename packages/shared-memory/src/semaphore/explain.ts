import { SharedMemoryError } from '../native/error.ts';
import { formatKey } from './key.ts';
import { MAX_VALUE, semaphoreLimits } from './limits.ts';

type Words = { readonly reason: string; readonly remedy?: string };

/** A call for a semaphore that failed. */
export interface FailedCall {
  readonly syscall: string;
  readonly key: number;
  /** The index of the semaphore in its set. */
  readonly index: number;
  /** The number of semaphores that was asked for. */
  readonly size: number;
}

/** Explains in words why a call for a semaphore failed, with the limits found on this machine. */
export function explainSemaphore(code: string, call: FailedCall): SharedMemoryError {
  const words = WORDS[code]?.(call) ?? { reason: 'cannot be used' };
  const subject = `semaphore ${formatKey(call.key)}`;
  return new SharedMemoryError({ code, syscall: call.syscall, subject, ...words });
}

const REMOVED: Words = {
  reason: 'was removed',
  remedy: 'open it again, with create if this side may make it',
};

const WORDS: Readonly<Record<string, (call: FailedCall) => Words>> = {
  EACCES: () => ({
    reason: `may not be used by UID ${process.getuid?.()}`,
    remedy: 'create it with a wider mode, or run both sides with one runAsUser or group',
  }),
  EPERM: () => ({
    reason: `may not be removed by UID ${process.getuid?.()}`,
    remedy: 'only its creator and its owner may',
  }),
  EEXIST: () => ({ reason: 'exists already', remedy: 'leave out exclusive, or remove it first' }),
  ENOENT: () => ({ reason: 'does not exist', remedy: 'open it with create' }),
  EIDRM: () => REMOVED,
  EFBIG: ({ index }) => ({
    reason: `has no number ${index} in its set`,
    remedy: 'use a smaller index',
  }),
  EINVAL: ({ syscall, size }) =>
    syscall === 'semget'
      ? {
          reason: `cannot have ${size} semaphores: an existing set has fewer, or the limit here is ${semaphoreLimits()?.perSet ?? 'lower'} (kernel.sem)`,
          remedy: 'ask for fewer, or remove the existing set',
        }
      : REMOVED,
  ENOSPC: () => {
    const limits = semaphoreLimits();
    return {
      reason: `cannot be created, this IPC namespace has all of its ${limits ? `${limits.sets} sets or ${limits.total} semaphores` : 'semaphores'} in use (kernel.sem)`,
      remedy: 'remove those that are left over (ipcs -s shows them)',
    };
  },
  ERANGE: () => ({
    reason: `cannot go above ${MAX_VALUE} (SEMVMX)`,
    remedy: 'release only what was acquired',
  }),
  ENOMEM: () => ({ reason: 'cannot be created, memory is short' }),
  ENOSYS: () => ({
    reason: 'cannot be opened, this kernel has no System V semaphores',
    remedy: 'run it on a Linux kernel with CONFIG_SYSVIPC',
  }),
};
