const LF = 0x0a;
const COMMA = 0x2c;

/**
 * Builds request bodies in one buffer, which is used again: an output has one request at a time,
 * and the garbage collector is slow to notice buffers that are allocated for each.
 */
export class Body {
  #buffer: Buffer = Buffer.alloc(0);
  #length = 0;

  /** Starts a body of at most `size` bytes. */
  start(size: number): this {
    if (this.#buffer.length < size || this.#buffer.length > size * 16) {
      this.#buffer = Buffer.allocUnsafeSlow(Math.ceil(size * 1.25));
    }
    this.#length = 0;
    return this;
  }

  text(text: string): this {
    this.#length += this.#buffer.write(text, this.#length);
    return this;
  }

  bytes(bytes: Buffer): this {
    this.#length += bytes.copy(this.#buffer, this.#length);
    return this;
  }

  /**
   * Adds lines as the elements of a JSON array. A line feed occurs only at the end of a line,
   * since JSON escapes it in text.
   */
  elements(lines: Buffer): this {
    const from = this.#length;
    this.bytes(lines.subarray(0, lines.length - 1));
    const added = this.done().subarray(from);
    for (let at = added.indexOf(LF); at !== -1; at = added.indexOf(LF, at + 1)) added[at] = COMMA;
    return this;
  }

  /** Returns the body, which is valid until the next one is started. */
  done(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }
}
