/** An offset in a generation, with the bytes before it that identify the place. */
export interface Mark {
  readonly offset: number;
  /** The up to 256 bytes before the offset. */
  readonly tail: Buffer;
  /** The offset is inside a line, of which the part before was delivered. */
  readonly inLine: boolean;
}

/** The range of the bytes that are read at a time. */
const SMALLEST_CHUNK = 16 * 1024;
const LARGEST_CHUNK = 64 * 1024 * 1024;

/** The start of a file. */
export const START: Mark = { offset: 0, tail: Buffer.alloc(0), inLine: false };

/** How far one output has come in a generation: each output reads at its own pace. */
export class Cursor {
  /** The next offset to read: always the start of a line, or of the rest of one. */
  read: Mark;
  /** The offset up to which the output has acknowledged everything. */
  acked: Mark;
  /** The start of a line whose end was not written yet, kept in case the file is truncated. */
  partial: Buffer = Buffer.alloc(0);
  /** The number of bytes to read at a time, up to the tailer's chunk. */
  chunk: number = LARGEST_CHUNK;

  constructor(mark: Mark) {
    this.read = mark;
    this.acked = mark;
  }

  /** Adapts the chunk: reading far more than there is room for would read the same bytes often. */
  used(taken: number, wanted: number): void {
    if (taken === 0) this.chunk = LARGEST_CHUNK;
    else if (taken < wanted / 4) this.chunk = Math.max(SMALLEST_CHUNK, taken * 2);
    else if (taken > wanted / 2) this.chunk = Math.min(LARGEST_CHUNK, this.chunk * 2);
  }
}
