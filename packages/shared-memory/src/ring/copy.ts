/** Up to here, in bytes, words copied in a loop are faster than a call that copies. */
const SHORT = 160;

/** The source that was copied from last: a loop over the records of one buffer needs one view. */
let source: Uint8Array | undefined;
let view: DataView = new DataView(new ArrayBuffer(0));

/**
 * Copies bytes `start` to `end` of `from` to the byte `at`, a multiple of four, of memory that is
 * given both as bytes and as words. It may write up to three zero bytes behind them.
 */
export function copyRecord(
  from: Uint8Array,
  start: number,
  end: number,
  target: { readonly bytes: Uint8Array; readonly words: Int32Array },
  at: number,
): void {
  if (end - start > SHORT) {
    target.bytes.set(from.subarray(start, end), at);
    return;
  }
  if (from !== source) {
    view = new DataView(from.buffer, from.byteOffset, from.length);
    source = from;
  }
  const { words } = target;
  let word = at >> 2;
  let i = start;
  // Little-endian, as all machines that this package supports.
  for (; i + 4 <= end; i += 4) words[word++] = view.getInt32(i, true);
  if (i === end) return;
  let last = 0;
  for (let shift = 0; i < end; i++, shift += 8) last |= view.getUint8(i) << shift;
  words[word] = last;
}
