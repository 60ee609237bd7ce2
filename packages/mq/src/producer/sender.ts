import type { Block } from '../source/source.ts';

/** Puts records into the queue, at most once or at least once. */
export interface Sender {
  /** Sends the records of a block, in order; waits while the queue is full. */
  send(block: Block): Promise<void>;
  /** Waits for the source and serves the queue meanwhile. Rejects only if the source does. */
  idle<T>(source: Promise<T>): Promise<T>;
  /** Sends the exit message, unless it is empty, and waits until all is done. */
  finish(exitMessage: string): Promise<void>;
  close(): unknown;
}
