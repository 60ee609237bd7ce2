import { ExpectedError, formatSize } from '@sidekit/core';
import { allocateSlab, type Slab } from '@sidekit/posix-mq';
import { measureLines } from '../queue/lines.ts';
import { type Block, HEADROOM } from './source.ts';

const SIZE = 256 * 1024;
const LINE_FEED = 0x0a;

/**
 * Cuts a stream of bytes into blocks of complete lines: a buffer to read into, then the block. An
 * incomplete line moves to the front for the next round.
 */
export class LineBlocks {
  readonly #slab: Slab;
  readonly #name: string;
  readonly #ends = new Uint32Array(SIZE + 1);
  #start = HEADROOM;
  #end = HEADROOM;
  /** Counts the bytes of complete lines handed out so far, from the start of the source. */
  #position: number;

  private constructor(slab: Slab, name: string, position: number) {
    this.#slab = slab;
    this.#name = name;
    this.#position = position;
  }

  /** Allocates the block; `name` is the source's, for errors; `position` is its start, in bytes. */
  static async create(name: string, position = 0): Promise<LineBlocks> {
    // The last byte is for a line feed that the end of the source lacks.
    return new LineBlocks(await allocateSlab(HEADROOM + SIZE + 1), name, position);
  }

  /** Returns the buffer to read into, at least one byte. @throws {ExpectedError} if a line fills it. */
  room(): Buffer {
    const { bytes } = this.#slab;
    if (this.#start > HEADROOM) {
      bytes.copyWithin(HEADROOM, this.#start, this.#end);
      this.#end -= this.#start - HEADROOM;
      this.#start = HEADROOM;
    }
    if (this.#end === HEADROOM + SIZE) {
      throw new ExpectedError(`${this.#name} has a line of more than ${formatSize(SIZE)}`);
    }
    return bytes.subarray(this.#end, HEADROOM + SIZE);
  }

  /** Takes the bytes read into `room()`; undefined until there is a complete line. */
  take(length: number): Block | undefined {
    this.#end += length;
    const { bytes } = this.#slab;
    const last = bytes.lastIndexOf(LINE_FEED, this.#end - 1);
    return last < this.#start ? undefined : this.#block(last + 1);
  }

  /** Takes the rest at the end of the source, even without a line feed. */
  rest(): Block | undefined {
    if (this.#end === this.#start) return undefined;
    this.#slab.bytes[this.#end++] = LINE_FEED;
    return this.#block(this.#end);
  }

  #block(end: number): Block {
    const start = this.#start;
    this.#start = end;
    this.#position += end - start;
    const ends = this.#ends;
    const measured = measureLines(this.#slab.bytes, start, end, ends);
    return { slab: this.#slab, start, end, ends, position: this.#position, ...measured };
  }
}
