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
   * The next records; undefined at the end, and where `stopping` aborts. The block is good until
   * the next call. A promise where they have still to come.
   * @throws {ExpectedError} where the source fails, or a line is longer than a block.
   */
  read(stopping: AbortSignal): Block | undefined | Promise<Block | undefined>;
  /** Whether the exit message comes after the end: the end was reached, not a stop. */
  readonly finite: boolean;
  close(): unknown;
}

/** What a source needs to go on where a run before it stopped. */
export interface SourceStart {
  /** The `position` of the last block that is safe; 0 at first. */
  readonly position: number;
}
