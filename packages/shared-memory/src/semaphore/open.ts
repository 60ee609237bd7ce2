import { setTimeout as pause } from 'node:timers/promises';
import { errnoName, SharedMemoryError } from '../native/error.ts';
import type { Native } from '../native/native.ts';
import { explainSemaphore } from './explain.ts';
import { formatKey } from './key.ts';
import { MAX_VALUE } from './limits.ts';

export interface SemaphoreOptions {
  /** The key of the set: a whole number of 32 bits other than 0; `ftok` derives one from a file. */
  readonly key: number;
  /** Which semaphore of the set; 0 by default. */
  readonly index?: number;
  /** Creates the set if it does not exist; false by default. */
  readonly create?: boolean;
  /** With `create`: fails with EEXIST if the set exists; false by default. */
  readonly exclusive?: boolean;
  /** For a set that is created: its permissions, 0600 by default. They hold whatever the umask. */
  readonly mode?: number;
  /** For a set that is created: the value of each semaphore, 0 to 32767; 1 by default (a mutex). */
  readonly value?: number;
  /** For a set that is created: how many semaphores it has; `index` + 1 by default. */
  readonly size?: number;
}

/** Constants of semget(2), semop(2) and semctl(2) (linux/ipc.h, linux/sem.h). */
const IPC_CREAT = 0o1000;
const IPC_EXCL = 0o2000;
export const IPC_NOWAIT = 0o4000;
export const IPC_RMID = 0;
const IPC_STAT = 2;
export const GETVAL = 12;
export const SEM_UNDO = 0x1000;

/** How long a set may stay without its first operation, in milliseconds, before it counts as foreign. */
const INITIALIZING = 1_000;

/** Opens, or creates, a set. @returns its id. @throws {SharedMemoryError} */
export async function openSet(
  native: Native,
  options: SemaphoreOptions,
): Promise<{ readonly id: number; readonly created: boolean }> {
  const { key, index = 0, create = false, exclusive = false } = options;
  const { mode = 0o600, value = 1, size = index + 1 } = options;
  checkOptions({ key, index, mode, value, size });
  const failed = (syscall: string) =>
    explainSemaphore(errnoName(native.errno()), { syscall, key, index, size });
  for (let attempt = 0; ; attempt++) {
    if (create) {
      const id = native.semget(key, size, mode | IPC_CREAT | IPC_EXCL);
      if (id !== -1) {
        initialize(native, id, size, value, failed);
        return { id, created: true };
      }
      const error = failed('semget');
      if (exclusive || error.code !== 'EEXIST') throw error;
    }
    const id = native.semget(key, index + 1, 0);
    if (id !== -1) {
      await initialized(native, id, index);
      return { id, created: false };
    }
    const error = failed('semget');
    // Between the two calls another process may remove the set.
    if (!create || error.code !== 'ENOENT' || attempt === 100) throw error;
  }
}

/**
 * Gives all semaphores of a new set, which are 0 on Linux, their value in one operation: others
 * see all of it or nothing, and the time of the first operation tells that it is done.
 */
function initialize(
  native: Native,
  id: number,
  size: number,
  value: number,
  failed: (syscall: string) => SharedMemoryError,
) {
  // semop takes 500 operations (SEMOPM); an operation by 0 on a semaphore of 0 succeeds.
  const operations = new Int16Array(size * 3);
  for (let i = 0; i < size; i++) operations.set([i, value, 0], i * 3);
  if (native.semop(id, operations, size) === 0) return;
  const error = failed('semop');
  native.semctl(id, 0, IPC_RMID, 0);
  throw error;
}

/** Waits until the creator of a set has given it its values. */
async function initialized(native: Native, id: number, index: number) {
  // A creator that is killed just then leaves 0, as does one that uses SETVAL and no operation.
  const deadline = performance.now() + INITIALIZING;
  while (performance.now() < deadline) {
    if (native.semctl(id, index, GETVAL, 0) > 0 || hadOperation(native, id)) return;
    await pause(5);
  }
}

/** Whether any operation was done on a set: sem_otime of struct semid64_ds follows 48 bytes. */
function hadOperation(native: Native, id: number): boolean {
  const status = new BigInt64Array(32);
  if (native.semctl(id, 0, IPC_STAT, new Uint8Array(status.buffer)) !== 0) return true;
  return status[6] !== 0n;
}

function checkOptions(options: Required<Omit<SemaphoreOptions, 'create' | 'exclusive'>>) {
  const { key, index, mode, value, size } = options;
  const whole = (one: number, least: number, most: number) =>
    Number.isInteger(one) && one >= least && one <= most;
  const faults = [
    ...(whole(key, -(2 ** 31), 2 ** 32 - 1) && key !== 0
      ? []
      : [[`key ${key}`, 'a whole number of 32 bits other than 0']]),
    ...(whole(index, 0, 499) ? [] : [[`index ${index}`, 'a whole number from 0 to 499']]),
    ...(whole(mode, 0, 0o777) ? [] : [[`mode ${mode}`, 'permission bits such as 0o660']]),
    ...(whole(value, 0, MAX_VALUE)
      ? []
      : [[`value ${value}`, `a whole number from 0 to ${MAX_VALUE}`]]),
    ...(whole(size, index + 1, 500)
      ? []
      : [[`size ${size}`, `a whole number from ${index + 1} to 500`]]),
  ];
  if (faults.length === 0) return;
  throw new SharedMemoryError({
    code: 'EINVAL',
    syscall: 'semget',
    subject: `semaphore ${formatKey(key)}`,
    reason: `cannot have the ${faults.map(([what]) => what).join(' and the ')}`,
    remedy: `use ${faults.map(([, rule]) => rule).join(' and ')}`,
  });
}
