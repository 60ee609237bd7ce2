import type { Slab } from '@sidekit/posix-mq';

/** Records as lines, each ended by a line feed, somewhere in a slab. */
export interface Block {
  readonly slab: Slab;
  /** At least `HEADROOM`: a header can be written before it. */
  readonly start: number;
  readonly end: number;
  readonly count: number;
  /** The offsets of the line feeds, `count` of them. */
  readonly ends: Uint32Array;
  /** The longest line, without its line feed, in bytes. */
  readonly longest: number;
  /** How far the source was read with this block, for `SourceStart.position`. */
  readonly position: number;
  /** Called once the records are safe: in the journal, or in the queue. */
  readonly accepted?: () => void;
}

/** Bytes before a block that may be overwritten. */
export const HEADROOM = 64;

export interface Source {
  /**
   * Returns the next records, or a promise of them; undefined at the end and when `stopping` aborts.
   * The block is valid until the next call.
   * @throws {ExpectedError} if the source fails, or a line is longer than a block.
   */
  read(stopping: AbortSignal): Block | undefined | Promise<Block | undefined>;
  /** Whether the exit message follows the last record. */
  readonly finite: boolean;
  close(): unknown;
}

/** Lets a source continue where an earlier run stopped, and size its blocks. */
export interface SourceStart {
  /** The `position` of the last block that is safe; initially 0. */
  readonly position: number;
  /** The longest record that the queue takes, in bytes. */
  readonly longest: number;
}
