import type { LineSplitter } from './line-splitter.ts';
import type { Generation, Mark } from './generation.ts';

/** What the tailer reads for: where lines go, and whether there is room. */
export interface LineConsumer {
  readonly splitter: LineSplitter;
  /** Whether more may be read; otherwise reading pauses, and looking around does not. */
  hasRoom(): boolean;
  /** A partial last line, as it is. */
  partial(generation: Generation, text: Buffer, offset: number): void;
  /** Everything before `read` is handed on: what of it is safe to acknowledge. */
  mark(generation: Generation, read: Mark): void;
  /** Emits what waits for more lines, such as the last event of a multiline log. */
  settle(generation: Generation, idle: number, final: boolean): void;
  /** Sends what was collected. */
  flush(): void;
  /** Forgets what is kept for a generation. */
  close(generation: Generation): void;
}
