/** Writers buffer a multiple of this many bytes: stdio and Go 4096, which they fill to the last one. */
const BLOCK = 4096;
/** Python, Java, Rust and C++ buffer a multiple of this many bytes, or a little less. */
const LARGER_BLOCK = 8192;
/** Their blocks end before a piece of a line that does not fit, before a character, or a byte early. */
const UNFILLED = 512;
/** A growth above this size holds many blocks, whose gaps add up: it tells nothing. */
const TELLING = 8 * LARGER_BLOCK;
/** So many growths by lines for each block are those of a writer that does not buffer. */
const LINES_PER_BLOCK = 4;
/** The number of growths that are remembered, about. */
const REMEMBERED = 64;

/** How a file grew so far, which tells a writer that buffers from one that writes line by line. */
export class Growth {
  #last = 0;
  #blocks = 0;
  #others = 0;

  /** Notes that the file grew by so many bytes since it was checked last. */
  add(bytes: number): void {
    this.#last = bytes;
    if (isBlock(bytes)) this.#blocks++;
    else if (bytes <= TELLING) this.#others++;
    if (this.#blocks + this.#others < REMEMBERED) return;
    this.#blocks /= 2;
    this.#others /= 2;
  }

  /**
   * Whether the file ends with the block of a buffering writer, which may cut a line anywhere. One
   * growth in 16 looks like a block by chance, so the earlier ones count too: few of a buffering
   * writer's are others, which are those that it flushes.
   */
  get endsWithBlock(): boolean {
    return isBlock(this.#last) && this.#others <= this.#blocks * LINES_PER_BLOCK;
  }
}

function isBlock(bytes: number): boolean {
  if (bytes <= UNFILLED) return false;
  return bytes % BLOCK === 0 || (bytes + UNFILLED - 1) % LARGER_BLOCK < UNFILLED;
}
