import { errnoName, SharedMemoryError } from './native/error.ts';
import { loadNative } from './native/native.ts';

/** An open file description lock (fcntl(2), asm-generic/fcntl.h). */
const F_OFD_SETLK = 37;
const F_WRLCK = 1;

/**
 * Locks a file that is open for writing, for as long as its descriptor is open: the kernel
 * releases the lock when the process ends, however it does. Programs in other containers that
 * share the volume see it, which process ids would not allow.
 * @param path the file's, for the error.
 * @returns false if another descriptor has the lock. @throws {SharedMemoryError} if there are no
 *   locks on this system (ENOSYS), or on its file system (ENOLCK).
 */
export async function lockFile(descriptor: number, path: string): Promise<boolean> {
  const native = await loadNative('lock');
  // struct flock: l_type, l_whence, l_start at 8, l_len at 16 (0: to the end), l_pid at 24.
  const lock = new Uint8Array(32);
  new DataView(lock.buffer).setInt16(0, F_WRLCK, true);
  if (native.fcntl(descriptor, F_OFD_SETLK, lock) === 0) return true;
  const code = errnoName(native.errno());
  if (code === 'EAGAIN' || code === 'EACCES') return false;
  throw new SharedMemoryError({
    code,
    syscall: 'fcntl',
    subject: path,
    reason: 'cannot be locked',
    remedy: 'put it on a volume whose file system has locks',
  });
}
