/** Node's own decoders, which are faster than `toString` for short slices. */
export type Sliceable = Buffer & {
  latin1Slice(start: number, end: number): string;
  utf8Slice(start: number, end: number): string;
};

/**
 * Converts a line's bytes to its record's JSON bytes without a string or an object in between. It
 * takes only the lines that it fully understands; all others go to the parser that makes records,
 * and a differential test keeps the two equal.
 */
export interface FastParser {
  /** The largest number of bytes by which a record is longer than its line. */
  readonly overhead: number;
  /**
   * Writes the record of `input[start, end)` to `out` at `at`, without its closing brace. `out`
   * must have room for the line and `overhead` bytes; the bytes are known to be UTF-8.
   * @returns the position after it, or -1 if the line is not taken.
   */
  write(input: Buffer, start: number, end: number, out: Buffer, at: number): number;
}
