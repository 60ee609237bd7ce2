import { SharedMemoryError } from './error.ts';

/**
 * The functions of the C library, as they are: -1 is a failure, and `errno` then says which.
 * Addresses are numbers: user space ends at 2^47 (2^48 on arm64).
 */
export interface Native {
  mmap(
    address: number,
    length: number,
    protection: number,
    flags: number,
    descriptor: number,
    offset: number,
  ): number;
  munmap(address: number, length: number): number;
  /** An `ArrayBuffer` over memory that is mapped; the caller detaches it before it unmaps. */
  view(address: number, length: number): ArrayBuffer;
  fallocate(descriptor: number, mode: number, offset: number, length: number): number;
  linkat(
    fromDirectory: number,
    from: string,
    toDirectory: number,
    to: string,
    flags: number,
  ): number;
  /** fcntl(2) with a `struct flock`. */
  fcntl(descriptor: number, command: number, lock: Uint8Array): number;
  /**
   * Blocks a thread of libuv's pool until the word is woken or differs, or the time is over.
   * Resolves to 0 or the errno: EAGAIN, EINTR, ETIMEDOUT.
   */
  futexWait(address: number, expected: number, milliseconds: number): Promise<number>;
  /** Wakes up to `count` waiters, of any process. @returns how many. */
  futexWake(address: number, count: number): number;
  semget(key: number, count: number, flags: number): number;
  semop(id: number, operations: Int16Array, count: number): number;
  /** As `semop` in a thread of libuv's pool, for at most `milliseconds`; 0 or the errno. */
  semtimedop(id: number, operations: Int16Array, milliseconds: number): Promise<number>;
  semctl(id: number, index: number, command: number, argument: number | Uint8Array): number;
  errno(): number;
}

let native: Promise<Native> | undefined;

/**
 * Loads the binding at the first use, not at import, so that a program that only might need
 * shared memory starts anywhere. @throws {SharedMemoryError} ENOSYS elsewhere than on Linux.
 */
export function loadNative(subject: string): Promise<Native> {
  if (process.platform !== 'linux') {
    throw new SharedMemoryError({
      code: 'ENOSYS',
      syscall: 'mmap',
      subject,
      reason: `cannot be used on ${process.platform}, this binding is for Linux`,
      remedy: 'run it on Linux or in a Linux container',
    });
  }
  native ??= bind();
  return native;
}

/** The numbers of futex(2): asm-generic/unistd.h, and x86's own table. */
const SYS_FUTEX = process.arch === 'x64' ? 202 : 98;
const FUTEX_WAIT = 0;
const FUTEX_WAKE = 1;

async function bind(): Promise<Native> {
  const { default: koffi } = await import('koffi');
  const libc = openLibrary(koffi.load);
  // Both functions are variadic in C. The calling conventions of x86-64 (System V) and arm64
  // (AAPCS64) pass integers to them as to any other function.
  const futex = libc.func(
    'long syscall(long number, uintptr_t word, long operation, long value, void *timeout)',
  );
  const fcntl = libc.func('int fcntl(int descriptor, int command, void *lock)');
  const semctl = libc.func('semctl', 'int', ['int', 'int', 'int', '...']);
  const semtimedop = libc.func('int semtimedop(int id, void *ops, size_t count, void *timeout)');
  return {
    mmap: libc.func('intptr_t mmap(uintptr_t, size_t, int, int, int, int64_t)'),
    munmap: libc.func('int munmap(uintptr_t, size_t)'),
    view: (address, length) => koffi.view(BigInt(address), length),
    fallocate: libc.func('int fallocate(int, int, int64_t, int64_t)'),
    linkat: libc.func('int linkat(int, const char *, int, const char *, int)'),
    fcntl,
    futexWait: (address, expected, milliseconds) =>
      outcome(koffi, (done) =>
        futex.async(SYS_FUTEX, address, FUTEX_WAIT, expected, timespec(milliseconds), done),
      ),
    futexWake: (address, count) => futex(SYS_FUTEX, address, FUTEX_WAKE, count, null),
    semget: libc.func('int semget(int, int, int)'),
    semop: libc.func('int semop(int, void *, size_t)'),
    semtimedop: async (id, operations, milliseconds) => {
      inFlight.add(operations);
      try {
        return await outcome(koffi, (done) =>
          semtimedop.async(id, operations, 1, timespec(milliseconds), done),
        );
      } finally {
        inFlight.delete(operations);
      }
    },
    semctl: (id, index, command, argument) =>
      typeof argument === 'number'
        ? semctl(id, index, command, 'long', argument)
        : semctl(id, index, command, 'void *', argument),
    errno: () => koffi.errno(),
  };
}

/** Resolves to 0, or to the errno of the call, which koffi hands over to its callback. */
function outcome(
  koffi: { errno(): number },
  call: (done: (error: unknown, result: number) => void) => void,
): Promise<number> {
  return new Promise((resolve, reject) => {
    call((error, result) => {
      if (error) reject(error);
      else resolve(result === 0 ? 0 : koffi.errno());
    });
  });
}

/** The word that threads read until their call returns: keeps it from being collected. */
const inFlight = new Set<Int16Array>();

/** One for each duration, kept: the thread reads it after the call has returned. */
const timespecs = new Map<number, BigInt64Array>();

function timespec(milliseconds: number): BigInt64Array {
  let value = timespecs.get(milliseconds);
  if (!value) {
    const seconds = Math.floor(milliseconds / 1000);
    const nanoseconds = Math.round((milliseconds - seconds * 1000) * 1e6);
    value = new BigInt64Array([BigInt(seconds), BigInt(nanoseconds)]);
    timespecs.set(milliseconds, value);
  }
  return value;
}

/** glibc by its name; musl has all in the program. */
function openLibrary(load: (path: string | null) => import('koffi').LibraryHandle) {
  try {
    return load('libc.so.6');
  } catch {
    return load(null);
  }
}
