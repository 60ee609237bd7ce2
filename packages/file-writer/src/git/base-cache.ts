import { type Base, ScratchFile } from './scratch-file.ts';

/** The size of the cache in memory, in bytes, and the number of files that it may hold. */
const BYTES = 16 * 1024 * 1024;
/** The memory of a base besides its content, in bytes: a pack may have thousands of tiny ones. */
const OVERHEAD = 512;
const FILES = 4;

/** Keeps the bases of deltas that were used last: small ones in memory, large ones in files. */
export class BaseCache {
  readonly #scratch: () => string;
  readonly #buffers = new Map<number, Buffer>();
  readonly #files = new Map<number, ScratchFile>();
  /** Goes on where it was: a new one would step over everything that was deleted before. */
  readonly #oldest = this.#buffers.keys();
  #bytes = 0;

  /** @param scratch returns a name for a file. */
  constructor(scratch: () => string) {
    this.#scratch = scratch;
  }

  get(i: number): Base | undefined {
    const buffer = this.#buffers.get(i);
    if (buffer === undefined) return this.#files.get(i);
    // The last one in the order of insertion is evicted last.
    this.#buffers.delete(i);
    this.#buffers.set(i, buffer);
    return buffer;
  }

  keep(i: number, content: Buffer): Base {
    this.#buffers.set(i, content);
    this.#bytes += content.length + OVERHEAD;
    while (this.#bytes > BYTES) {
      const oldest = this.#oldest.next().value!;
      this.#bytes -= this.#buffers.get(oldest)!.length + OVERHEAD;
      this.#buffers.delete(oldest);
    }
    return content;
  }

  async keepInFile(i: number, content: AsyncIterable<Uint8Array>): Promise<Base> {
    const file = await ScratchFile.receive(this.#scratch(), content);
    this.#files.set(i, file);
    for (const [oldest, one] of this.#files) {
      if (this.#files.size <= FILES) break;
      this.#files.delete(oldest);
      await one.close();
    }
    return file;
  }

  async close(): Promise<void> {
    for (const file of this.#files.values()) await file.close();
    this.#files.clear();
    this.#buffers.clear();
  }
}
