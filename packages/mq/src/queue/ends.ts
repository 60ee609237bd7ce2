import { PosixMQ, QUEUE_DIRECTORY, type Slab } from '@sidekit/posix-mq';
import { SEGMENT_DIRECTORY } from '@sidekit/shared-memory';
import { RingReadEnd, RingWriteEnd } from './ring-ends.ts';

/** One end of a POSIX message queue or of a ring in shared memory, for `QueueWriter` and `QueueReader`. */
interface QueueEnd {
  /** Whether opening it created the queue. */
  readonly created: boolean;
  /** The most messages in the queue; of a ring, the most that are in flight. */
  readonly maxmsgs: number;
  /** The largest message, in bytes. */
  readonly msgsize: number;
  /** The messages in the queue; of a ring, their bytes. */
  readonly curmsgs: number;
  /** Identifies the queue; `links` is 0 once its name was removed. */
  identity(): { readonly inode: bigint; readonly links: number };
  unlink(): void;
  close(): void;
}

/** Sends messages. */
export interface WriteEnd extends QueueEnd {
  /** Sends from a place in a slab. @returns false if the queue is full. */
  sendFrom(slab: Slab, offset: number, length: number, priority: number): boolean;
  push(message: Uint8Array | string, priority?: number): boolean;
  /** Publishes what was sent, if that is not done at once; call it before the event loop turns. */
  flush?(): void;
  /** Calls back once when there may be room; returns a function that cancels. */
  whenWritable(callback: () => void): () => void;
}

/** Receives messages. */
export interface ReadEnd extends QueueEnd {
  /** Receives into a slab with `msgsize` bytes left. @returns the length, or −1 without a message. */
  receiveInto(slab: Slab, offset: number): number;
  /** Frees the room of received messages, if that is not done at once. */
  release?(): void;
  /** Counts messages that could not be received since the last call. */
  takeInvalid?(): number;
  /** Calls back once when there may be a message; returns a function that cancels. */
  whenReadable(callback: () => void): () => void;
}

/** The dimensions of a queue that is created. */
export interface Dimensions {
  readonly mode: string;
  readonly maxmsgs: number;
  readonly msgsize: number;
  /** The capacity of a ring, in bytes. */
  readonly ringSize: number;
}

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
