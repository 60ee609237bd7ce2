import type { Mark } from './cursor.ts';
import type { Generation } from './generation.ts';
import type { LineSplitter } from './line-splitter.ts';

/** Receives for one output what the tailer reads, and says whether there is room for more. */
export interface LineConsumer {
  readonly splitter: LineSplitter;
  /** Whether more may be read; if not, reading pauses and scanning continues. */
  hasRoom(): boolean;
  /** Takes a last line that has no end yet. */
  partial(generation: Generation, text: Buffer, offset: number): void;
  /** Notes that everything before `read` was passed on; decides how much may be acknowledged. */
  mark(generation: Generation, read: Mark): void;
  /** Lets what waits in a rotated file go on in the next one, of which nothing was read yet. */
  handOver(generation: Generation, read: Mark, next: Generation): void;
  /** Emits what is waiting for more lines, such as the last event of a multiline log. */
  settle(generation: Generation, read: Mark, idle: number, final: boolean): void;
  /** Sends the collected records. */
  flush(): void;
  /** Discards everything kept for a generation. */
  close(generation: Generation): void;
}
