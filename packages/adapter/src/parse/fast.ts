/** Node's own decoders, which are quicker than `toString` for short slices. */
export type Sliceable = Buffer & {
  latin1Slice(start: number, end: number): string;
  utf8Slice(start: number, end: number): string;
};

/**
 * A parser that goes from a line's bytes to its record's JSON bytes, without a string or an
 * object between. It takes only the lines that it fully understands; any other has its turn with
 * the record-making parser, and a differential test keeps the two equal.
 */
export interface FastParser {
  /** The most bytes that a record is longer than its line. */
  readonly overhead: number;
  /**
   * Writes the record of `input[start, end)` to `out` at `at`, without its closing brace. `out`
   * must have room for the line and `overhead` bytes; the bytes are known to be UTF-8.
   * @returns the position behind it, or -1 where the line is not taken.
   */
  write(input: Buffer, start: number, end: number, out: Buffer, at: number): number;
}
