import { ExpectedError, formatSize } from '@sidekit/core';
import { allocateSlab, type Slab } from '@sidekit/posix-mq';
import { measureLines } from '../queue/lines.ts';
import { dropCarriageReturns } from './carriage-returns.ts';
import { type Block, HEADROOM } from './source.ts';

const SMALLEST = 256 * 1024;
/** The most lines of a block: their offsets are kept in memory too. */
const LINES = 16_384;
const LINE_FEED = 0x0a;

export interface LineBlocksOptions {
  /** Names the source in errors. */
  readonly name: string;
  /** The longest line that the queue takes, in bytes; a block has room for one at least. */
  readonly longest: number;
  /** The start of a source that can be read again, in bytes; without it, positions stay 0. */
  readonly position?: number;
}

/**
 * Cuts a stream of bytes into blocks of complete lines: bytes are read into `room()`, then
 * `next()` returns blocks until it needs more. A carriage return before a line feed is dropped.
 */
export class LineBlocks {
  readonly #slab: Slab;
  readonly #name: string;
  readonly #size: number;
  readonly #ends = new Uint32Array(LINES);
  #start = HEADROOM;
  #end = HEADROOM;
  /** Counts the bytes of complete lines handed out so far, from the start of the source. */
  #position: number | undefined;

  private constructor(slab: Slab, { name, position }: LineBlocksOptions) {
    this.#slab = slab;
    this.#size = slab.length - HEADROOM - 1;
    this.#name = name;
    this.#position = position;
  }

  /** Allocates the memory of one block. */
  static async create(options: LineBlocksOptions): Promise<LineBlocks> {
    // One byte is for a line feed that the end of the source lacks.
    return new LineBlocks(await allocateSlab(HEADROOM + blockSize(options.longest) + 1), options);
  }

  /** Returns the buffer to read into, at least one byte. @throws {ExpectedError} if a line fills it. */
  room(): Buffer {
    const { bytes } = this.#slab;
    if (this.#start > HEADROOM) {
      bytes.copyWithin(HEADROOM, this.#start, this.#end);
      this.#end -= this.#start - HEADROOM;
      this.#start = HEADROOM;
    }
    if (this.#end === HEADROOM + this.#size) {
      throw new ExpectedError(`${this.#name} has a line of more than ${formatSize(this.#size)}`);
    }
    return bytes.subarray(this.#end, HEADROOM + this.#size);
  }

  /** Adds `length` bytes that were read into `room()`. */
  filled(length: number): void {
    this.#end += length;
  }

  /** Whether all bytes were handed out. */
  get empty(): boolean {
    return this.#start === this.#end;
  }

  /** Ends the last line, if it has no line feed: the source is at its end. */
  finish(): void {
    if (this.#end > this.#start && this.#slab.bytes[this.#end - 1] !== LINE_FEED)
      this.#slab.bytes[this.#end++] = LINE_FEED;
  }

  /** Returns the complete lines read so far, valid until the next call; undefined without any. */
  next(): Block | undefined {
    const slab = this.#slab;
    const { bytes } = slab;
    const start = this.#start;
    const last = this.#end === start ? -1 : bytes.lastIndexOf(LINE_FEED, this.#end - 1);
    if (last < start) return undefined;
    const ends = this.#ends;
    let measured = measureLines(bytes, start, last + 1, ends);
    let end = ends[measured.count - 1]! + 1;
    this.#start = end;
    if (this.#position !== undefined) this.#position += end - start;
    const shorter = dropCarriageReturns(bytes, start, end);
    if (shorter !== end) {
      end = shorter;
      measured = measureLines(bytes, start, end, ends);
    }
    return { slab, start, end, ends, position: this.#position ?? 0, ...measured };
  }
}

/** Computes the bytes of lines in a block, so that a line of `longest` bytes fits, whatever it is. */
export function blockSize(longest: number): number {
  // A carriage return and a line feed are read, too.
  return Math.max(SMALLEST, longest + 2);
}
