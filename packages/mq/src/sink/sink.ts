import type { SinkMark } from '../inbox.ts';

/** What a block of records is, for a sink that tells its receiver. */
export interface Delivery {
  readonly count: number;
  /** With at-least-once: names the records, the same whenever they are delivered again. */
  readonly key?: string | undefined;
}

/** Where records go. */
export interface Sink {
  /**
   * Takes the lines from `start` to `end`; resolves when they are the sink's. Where it fails it
   * is called again with the same lines.
   */
  write(bytes: Buffer, start: number, end: number, delivery: Delivery): Promise<void> | void;
  /** Where the sink stands, for `fileSink` to go on from exactly there. */
  mark?(): SinkMark | undefined;
  close(): unknown;
}
