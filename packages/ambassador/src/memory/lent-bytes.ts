import { freeBytes } from '@sidekit/core';

/** Bytes that a connection read and lends to the writer of the other side. */
export interface LentBytes {
  readonly bytes: Buffer;
  /** Whether the memory budget counts them already. */
  readonly counted: boolean;
  /** Keeps the bytes after the call, until `release`. */
  retain(): void;
  release(): void;
  /** Releases bytes that someone may still read: their memory is not used for others. */
  abandon(): void;
}

/** Lends the bytes of a piece of its own memory. */
export class OwnBytes implements LentBytes {
  readonly bytes: Buffer;
  readonly counted = false;
  #references = 1;

  /** Starts with one reference, that of the reader. */
  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  retain(): void {
    this.#references++;
  }

  release(): void {
    if (--this.#references === 0) freeBytes(this.bytes);
  }

  abandon(): void {
    this.#references = Number.POSITIVE_INFINITY;
  }
}

/** Lends bytes that somebody else keeps as long as they are needed. */
export class KeptBytes implements LentBytes {
  readonly bytes: Buffer;
  readonly counted = true;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  retain(): void {}

  release(): void {}

  abandon(): void {}
}

/** Lends a part of lent bytes; its references are those of the whole. */
export class LentPart implements LentBytes {
  readonly bytes: Buffer;
  readonly #whole: LentBytes;

  constructor(whole: LentBytes, start: number, end: number) {
    this.bytes = whole.bytes.subarray(start, end);
    this.#whole = whole;
  }

  get counted(): boolean {
    return this.#whole.counted;
  }

  retain(): void {
    this.#whole.retain();
  }

  release(): void {
    this.#whole.release();
  }

  abandon(): void {
    this.#whole.abandon();
  }
}
