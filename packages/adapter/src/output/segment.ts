const LF = 0x0a;

/** Consecutive records of a batch, each ending with a line feed. */
export interface Segment {
  readonly bytes: Buffer;
  readonly count: number;
}

/** Splits a segment of at least two records into two with about half of the records each. */
export function halves({ bytes, count }: Segment): [Segment, Segment] {
  const first = Math.ceil(count / 2);
  let end = 0;
  for (let i = 0; i < first; i++) end = bytes.indexOf(LF, end) + 1;
  return [
    { bytes: bytes.subarray(0, end), count: first },
    { bytes: bytes.subarray(end), count: count - first },
  ];
}
