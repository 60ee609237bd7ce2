/** Up to here, in bytes, words copied in a loop are faster than a call that copies. */
const SHORT = 160;

/** The memory of records: the same bytes twice, as bytes and as words. */
interface RecordMemory {
  readonly bytes: Uint8Array;
  readonly words: Int32Array;
}

/** A view of the buffer that was used last: a loop over the records of one buffer needs one. */
class LastView {
  #buffer: Uint8Array | undefined;
  #view: DataView = new DataView(new ArrayBuffer(0));

  of(buffer: Uint8Array): DataView {
    if (buffer !== this.#buffer) {
      this.#view = new DataView(buffer.buffer, buffer.byteOffset, buffer.length);
      this.#buffer = buffer;
    }
    return this.#view;
  }
}

const sources = new LastView();
const targets = new LastView();

/**
 * Copies bytes `start` to `end` of `from` to the byte `at`, a multiple of four, of memory that is
 * given both as bytes and as words. It may write up to three zero bytes behind them.
 */
export function copyRecord(
  from: Uint8Array,
  start: number,
  end: number,
  target: RecordMemory,
  at: number,
): void {
  if (end - start > SHORT) {
    target.bytes.set(from.subarray(start, end), at);
    return;
  }
  const view = sources.of(from);
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

/** Copies the record from byte `start`, a multiple of four, to `end` to the byte `at` of `target`. */
export function copyOut(
  { bytes, words }: RecordMemory,
  start: number,
  end: number,
  target: Uint8Array,
  at: number,
): void {
  if (end - start > SHORT) {
    target.set(bytes.subarray(start, end), at);
    return;
  }
  const view = targets.of(target);
  let word = start >> 2;
  let i = at;
  const stop = at + end - start;
  for (; i + 4 <= stop; i += 4) view.setInt32(i, words[word++]!, true);
  if (i === stop) return;
  for (let last = words[word]!; i < stop; i++, last >>= 8) view.setUint8(i, last);
}
