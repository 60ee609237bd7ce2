/** The sizes of the first block and the largest one, in bytes. */
const FIRST = 1024;
const LARGEST = 64 * 1024;

/**
 * Gathers chunks by copying them into blocks. A chunk of one byte takes a hundred times its size as
 * an object, and keeps all that was received with it in memory: who sends such chunks would
 * otherwise decide how much a limited body takes.
 */
export class Gathered {
  readonly #full: Buffer[] = [];
  #block: Buffer = Buffer.alloc(0);
  #filled = 0;
  /** How many bytes were added. */
  length = 0;

  add(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length; ) {
      if (this.#filled === this.#block.length) this.#start(chunk.length - at);
      const part = chunk.subarray(at, at + this.#block.length - this.#filled);
      this.#block.set(part, this.#filled);
      this.#filled += part.length;
      at += part.length;
    }
    this.length += chunk.length;
  }

  /** Returns all bytes; call it once, at the end. */
  bytes(): Buffer {
    const last = this.#block.subarray(0, this.#filled);
    return this.#full.length === 0 ? last : Buffer.concat([...this.#full, last], this.length);
  }

  #start(wanted: number): void {
    if (this.#filled > 0) this.#full.push(this.#block);
    const size = Math.min(Math.max(wanted, this.length, FIRST), LARGEST);
    this.#block = Buffer.allocUnsafeSlow(size);
    this.#filled = 0;
  }
}
