import type { SinkMark } from '../journal/delivered-offsets.ts';

/** Describes a block of records, for a sink that passes this on. */
export interface Delivery {
  readonly count: number;
  /** Names the records with at-least-once, the same when they are delivered again. */
  readonly key?: string | undefined;
}

/** Takes records. */
export interface Sink {
  /**
   * Takes the lines from `start` to `end`; resolves when the sink has them. If it fails, it is
   * called again with the same lines.
   */
  write(bytes: Buffer, start: number, end: number, delivery: Delivery): Promise<void> | void;
  /** Returns the sink's position, from which `fileSink` continues. */
  mark?(): SinkMark | undefined;
  /** Returns when what was written is on the disk. @throws the system call's error. */
  sync?(): void;
  close(): unknown;
}
