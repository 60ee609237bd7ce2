import type { Slab } from '@sidekit/posix-mq';

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
