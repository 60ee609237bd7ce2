import { errno, errnoName, type SharedMemoryError } from '../native/error.ts';
import { loadNative, type Native } from '../native/native.ts';
import { LONGEST_TIMER } from '../wait/futex.ts';
import { inSlot } from '../wait/slots.ts';
import { explainSemaphore } from './explain.ts';
import { formatKey } from './key.ts';
import { MAX_VALUE } from './limits.ts';
import { GETVAL, IPC_NOWAIT, IPC_RMID, openSet, SEM_UNDO, type SemaphoreOptions } from './open.ts';

export interface AcquireOptions {
  /** How many units; 1 by default. */
  readonly units?: number;
  /** In milliseconds; 0 only tries; none by default. */
  readonly timeout?: number;
  /** Ends the wait; `acquire` then resolves to false. */
  readonly signal?: AbortSignal;
}

/**
 * A System V semaphore (sem_overview(7) has the other kind). What a process acquired, the kernel
 * gives back when the process ends, however it ends (SEM_UNDO of semop(2)): no lock outlives its
 * holder. It exists per IPC namespace, which the containers of a Pod share, until it is removed.
 */
export class Semaphore {
  readonly key: number;
  readonly index: number;
  /** Whether `open` created the set, instead of finding it. */
  readonly created: boolean;
  readonly #native: Native;
  readonly #id: number;
  readonly #size: number;

  private constructor(native: Native, options: SemaphoreOptions, id: number, created: boolean) {
    this.#native = native;
    this.#id = id;
    this.key = options.key | 0;
    this.index = options.index ?? 0;
    this.created = created;
    this.#size = options.size ?? this.index + 1;
  }

  /** Opens, or creates, a semaphore. @throws {SharedMemoryError} */
  static async open(options: SemaphoreOptions): Promise<Semaphore> {
    const native = await loadNative(`semaphore ${formatKey(options.key)}`);
    const { id, created } = await openSet(native, options);
    return new Semaphore(native, options, id, created);
  }

  /** The units that are free now, 0 to 32767. @throws {SharedMemoryError} */
  get value(): number {
    const value = this.#native.semctl(this.#id, this.index, GETVAL, 0);
    if (value === -1) throw this.#failed('semctl');
    return value;
  }

  /** Takes `units` if they are free. @returns whether it did. @throws {SharedMemoryError} */
  tryAcquire(units = 1): boolean {
    const operation = this.#operation(-checkUnits(units), IPC_NOWAIT);
    while (this.#native.semop(this.#id, operation, 1) !== 0) {
      const value = this.#native.errno();
      if (value === errno.EAGAIN) return false;
      if (value !== errno.EINTR) throw this.#failed('semop');
    }
    return true;
  }

  /**
   * Takes `units`, waiting in a thread of libuv's pool until they are free. The thread is given
   * back every second, so that waiters do not take strict turns.
   * @returns false if the time was over or `signal` aborted. @throws {SharedMemoryError} EIDRM if
   * the semaphore was removed.
   */
  async acquire(options: AcquireOptions = {}): Promise<boolean> {
    const { units = 1, timeout = Number.POSITIVE_INFINITY } = options;
    const deadline = performance.now() + timeout;
    const signal = withTimeout(options.signal, timeout);
    const abort = whenAborted(signal);
    try {
      for (;;) {
        if (signal?.aborted) return false;
        if (this.tryAcquire(units)) return true;
        const left = deadline - performance.now();
        if (left <= 0) return false;
        const value = await Promise.race([this.#slice(units, left, signal), abort.promise]);
        if (value === 0) return true;
        if (value !== errno.EAGAIN && value !== errno.EINTR)
          throw this.#failed('semtimedop', value);
      }
    } finally {
      abort.forget();
    }
  }

  /** Waits in a thread for one slice. @returns 0, or the errno. */
  #slice(units: number, limit: number, signal: AbortSignal | undefined): Promise<number> {
    return inSlot(limit, async (milliseconds) => {
      if (signal?.aborted) return errno.EINTR;
      const value = await this.#native.semtimedop(
        this.#id,
        this.#operation(-units, 0),
        milliseconds,
      );
      if (value !== 0 || !signal?.aborted) return value;
      // Acquired for somebody who does not wait any more.
      this.release(units);
      return errno.EINTR;
    });
  }

  /** Gives back `units` that this process acquired. @throws {SharedMemoryError} ERANGE */
  release(units = 1): void {
    const operation = this.#operation(checkUnits(units), 0);
    if (this.#native.semop(this.#id, operation, 1) !== 0) throw this.#failed('semop');
  }

  /** Runs `action` while it holds one unit. @throws what `action` throws, {SharedMemoryError} */
  async hold<T>(action: () => T | Promise<T>): Promise<T> {
    await this.acquire();
    try {
      return await action();
    } finally {
      this.release();
    }
  }

  /** Removes the whole set; whoever waits fails with EIDRM. @throws {SharedMemoryError} */
  remove(): void {
    if (this.#native.semctl(this.#id, 0, IPC_RMID, 0) !== 0) throw this.#failed('semctl');
  }

  /** A struct sembuf: the number, what is added to the value, and flags. */
  #operation(change: number, flags: number): Int16Array {
    return new Int16Array([this.index, change, flags | SEM_UNDO]);
  }

  #failed(syscall: string, value = this.#native.errno()): SharedMemoryError {
    const { key, index } = this;
    return explainSemaphore(errnoName(value), { syscall, key, index, size: this.#size });
  }
}

/** Removes a set by key. @returns whether it existed. @throws {SharedMemoryError} */
export async function removeSemaphore(key: number): Promise<boolean> {
  const native = await loadNative(`semaphore ${formatKey(key)}`);
  const id = native.semget(key, 0, 0);
  if (id !== -1 && native.semctl(id, 0, IPC_RMID, 0) === 0) return true;
  const value = native.errno();
  if (value === errno.ENOENT || value === errno.EIDRM || value === errno.EINVAL) return false;
  const syscall = id === -1 ? 'semget' : 'semctl';
  throw explainSemaphore(errnoName(value), { syscall, key, index: 0, size: 0 });
}

function checkUnits(units: number): number {
  if (Number.isInteger(units) && units >= 1 && units <= MAX_VALUE) return units;
  throw new RangeError(`${units} units: must be a whole number from 1 to ${MAX_VALUE}`);
}

/** Adds a timeout to a signal: among many waiters it ends before this one has a thread. */
function withTimeout(signal: AbortSignal | undefined, timeout: number): AbortSignal | undefined {
  if (timeout > LONGEST_TIMER) return signal;
  const ends = AbortSignal.timeout(Math.max(0, Math.ceil(timeout)));
  return signal ? AbortSignal.any([signal, ends]) : ends;
}

/** A promise of EINTR for when `signal` aborts. */
function whenAborted(signal: AbortSignal | undefined) {
  let listener = () => {};
  const promise = new Promise<number>((resolve) => {
    listener = () => resolve(errno.EINTR);
  });
  signal?.addEventListener('abort', listener, { once: true });
  return { promise, forget: () => signal?.removeEventListener('abort', listener) };
}
