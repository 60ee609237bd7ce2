import { PosixMQ, QUEUE_DIRECTORY } from '@sidekit/posix-mq';
import { SEGMENT_DIRECTORY } from '@sidekit/shared-memory';
import type { Dimensions, ReadEnd, WriteEnd } from './end.ts';
import { RingReadEnd, RingWriteEnd } from './ring-ends.ts';

export type { Dimensions, ReadEnd, WriteEnd } from './end.ts';

const RING = 'ring:';

/** Returns the name of the segment if a queue is a ring. */
function ringName(queue: string): string | undefined {
  return queue.startsWith(RING) ? queue.slice(RING.length) : undefined;
}

/** Returns the directory whose events announce that a queue was created or removed. */
export function directoryOf(queue: string): string {
  return ringName(queue) === undefined ? QUEUE_DIRECTORY : SEGMENT_DIRECTORY;
}

/** Returns the start of the names of a queue's files on the journal's volume. */
export function fileNameOf(queue: string): string {
  const ring = ringName(queue);
  return ring === undefined ? queue.slice(1) : `ring-${ring.slice(1)}`;
}

/** Opens or creates a queue to send to. @throws {PosixMQError} @throws {SharedMemoryError} */
export async function openToWrite(queue: string, dimensions: Dimensions): Promise<WriteEnd> {
  const ring = ringName(queue);
  if (ring !== undefined) return RingWriteEnd.create(ring, dimensions);
  const options = { name: queue, create: true, ...dimensions };
  // Open for reading too, so that messages can be moved; another user's queue may not allow it.
  return PosixMQ.open(options).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'EACCES') return PosixMQ.open({ ...options, access: 'write' });
    throw error;
  });
}

/** Opens or creates a queue to receive from. @throws {PosixMQError} @throws {SharedMemoryError} */
export async function openToRead(queue: string, create?: Dimensions): Promise<ReadEnd> {
  const ring = ringName(queue);
  if (ring !== undefined) return RingReadEnd.open(ring, create);
  if (create) return PosixMQ.open({ name: queue, create: true, ...create });
  return PosixMQ.open({ name: queue, access: 'read' });
}

/** Opens an existing queue to send to. @throws {PosixMQError} @throws {SharedMemoryError} */
export async function openExisting(queue: string): Promise<WriteEnd> {
  const ring = ringName(queue);
  if (ring !== undefined) return RingWriteEnd.open(ring);
  return PosixMQ.open({ name: queue, access: 'write' });
}
