import { loadNative } from './native/native.ts';

/** An open file description lock (fcntl(2), asm-generic/fcntl.h). */
const F_OFD_SETLK = 37;
const F_WRLCK = 1;

/**
 * Locks a file that is open for writing, for as long as its descriptor is open: the kernel
 * releases the lock when the process ends, however it does. Programs in other containers that
 * share the volume see it, which process ids would not allow.
 * @returns false if another descriptor has the lock. @throws {SharedMemoryError} ENOSYS
 */
export async function lockFile(descriptor: number): Promise<boolean> {
  const native = await loadNative('lock');
  // struct flock: l_type, l_whence, l_start at 8, l_len at 16 (0: to the end), l_pid at 24.
  const lock = new Uint8Array(32);
  new DataView(lock.buffer).setInt16(0, F_WRLCK, true);
  return native.fcntl(descriptor, F_OFD_SETLK, lock) === 0;
}
