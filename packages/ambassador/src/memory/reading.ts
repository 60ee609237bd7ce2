import type { Socket } from 'node:net';

/** The part of a socket's handle that node:net uses to stop reading. */
interface ReadingHandle {
  reading: boolean;
  readStop(): number;
  readStart(): number;
}

/**
 * Pauses a socket at once. `pause` alone lets node:net read one more piece of 64 KiB into memory
 * before it stops; on a thousand connections that is half of a container's memory. A Node.js
 * whose handles differ only loses this.
 */
export function stopReading(socket: Socket): void {
  socket.pause();
  const { _handle: handle } = socket as Socket & { _handle?: Partial<ReadingHandle> | null };
  if (!handle?.reading || typeof handle.readStop !== 'function') return;
  handle.reading = false;
  handle.readStop();
}

/**
 * Resumes a socket that `stopReading` paused. node:net may believe that it still reads, and would
 * then not start again.
 */
export function startReading(socket: Socket): void {
  socket.resume();
  const { _handle: handle, connecting } = socket as Socket & {
    _handle?: Partial<ReadingHandle> | null;
  };
  if (connecting || handle?.reading !== false || typeof handle.readStart !== 'function') return;
  handle.reading = true;
  handle.readStart();
}
