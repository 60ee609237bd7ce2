import type { Block } from './source/source.ts';

/** Puts records into the queue, one way or the other. */
export interface Sender {
  /** Sends the records of a block, in order; waits where the queue is full. */
  send(block: Block): Promise<void>;
  /** Waits for the source, and meanwhile does what the queue needs. Never rejects by itself. */
  idle<T>(source: Promise<T>): Promise<T>;
  /** Sends the exit message, if there is one, and waits until nothing is left to do. */
  finish(exitMessage: string): Promise<void>;
  close(): unknown;
}
