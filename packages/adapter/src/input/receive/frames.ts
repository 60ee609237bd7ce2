import { freeBytes } from '@sidekit/core';

/** Receives a message, and whether only its beginning was kept. The bytes are valid until it returns. */
export type OnMessage = (message: Uint8Array, cut: boolean) => void;

export interface FrameOptions {
  /** The most bytes of a message that are kept. */
  readonly limit: number;
  /** Whether frames may begin with their length; if not, every line is one. */
  readonly counted: boolean;
  readonly onMessage: OnMessage;
}

const NUL = 0x00;
const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
/** A longer count is an error: no message has 10 MB, and the rest of the stream is lost anyway. */
const MOST_DIGITS = 7;

/**
 * Buffers of long messages, for the next ones of any connection: a new one for each message would
 * be 64 MiB of garbage before V8 collects it, and one for each connection would stay with idle ones.
 */
const spare: Buffer[] = [];
const MOST_SPARE = 8;
const NONE = Buffer.alloc(0);

type State = 'between' | 'count' | 'counted' | 'line';

/**
 * Splits a stream into messages. Syslog over TCP has two framings (RFC 6587 §3.4): the length in
 * bytes before each message, or a line feed after it; libc's syslog(3) ends messages on a Unix
 * stream with NUL. A frame that begins with a digit other than 0 and a space after the digits is
 * counted, so that a stream may mix them. Longer messages than the limit are cut, not buffered.
 */
export class Frames {
  readonly #options: FrameOptions;
  #state: State = 'between';
  /** The message so far, if it began in an earlier chunk. */
  #held: Buffer = NONE;
  #size = 0;
  #cut = false;
  #digits = '';
  /** The missing bytes of a counted message. */
  #missing = 0;

  constructor(options: FrameOptions) {
    this.#options = options;
  }

  /** Takes a chunk; returns false if the stream is not in a framing, and cannot be read further. */
  push(chunk: Buffer): boolean {
    for (let at = 0; at < chunk.length; ) {
      const next = this.#step(chunk, at);
      if (next === -1) return false;
      at = next;
    }
    return true;
  }

  /** Ends the stream; returns false if the last message is incomplete. */
  end(): boolean {
    if (this.#state === 'count') this.#asLine();
    if (this.#state === 'line') this.#emit(Buffer.alloc(0));
    return this.#state !== 'counted';
  }

  /** Reads from `at` on and returns the position of what is left; -1 ends the stream. */
  #step(chunk: Buffer, at: number): number {
    const byte = chunk[at]!;
    switch (this.#state) {
      case 'between':
        if (byte === LF || byte === CR || byte === NUL || byte === SPACE) return at + 1;
        this.#digits = '';
        this.#state = this.#options.counted && byte > 0x30 && byte <= 0x39 ? 'count' : 'line';
        return at;
      case 'count':
        if (byte >= 0x30 && byte <= 0x39) {
          this.#digits += String.fromCharCode(byte);
          return this.#digits.length > MOST_DIGITS ? -1 : at + 1;
        }
        if (byte === SPACE) {
          this.#missing = Number(this.#digits);
          this.#state = 'counted';
          return at + 1;
        }
        this.#asLine();
        return at;
      case 'counted': {
        const end = Math.min(chunk.length, at + this.#missing);
        this.#missing -= end - at;
        if (this.#missing === 0) this.#emit(chunk.subarray(at, end));
        else this.#hold(chunk.subarray(at, end));
        return end;
      }
      case 'line': {
        const end = this.#lineEnd(chunk, at);
        if (end === -1) {
          this.#hold(chunk.subarray(at));
          return chunk.length;
        }
        this.#emit(chunk.subarray(at, end));
        return end + 1;
      }
    }
  }

  #lineEnd(chunk: Buffer, at: number): number {
    const feed = chunk.indexOf(LF, at);
    if (!this.#options.counted) return feed;
    const nul = chunk.subarray(at, feed === -1 ? undefined : feed).indexOf(NUL);
    return nul === -1 ? feed : at + nul;
  }

  /** Continues with a line that began with what could have been a count. */
  #asLine(): void {
    this.#state = 'line';
    this.#hold(Buffer.from(this.#digits));
  }

  #hold(bytes: Uint8Array): void {
    const { limit } = this.#options;
    const room = limit - this.#size;
    if (bytes.length > room) this.#cut = true;
    const kept = bytes.subarray(0, room);
    const size = this.#size + kept.length;
    if (size > this.#held.length) {
      const larger = this.#larger(size);
      this.#held.copy(larger, 0, 0, this.#size);
      freeBytes(this.#held);
      this.#held = larger;
    }
    this.#held.set(kept, this.#size);
    this.#size = size;
  }

  #emit(last: Uint8Array): void {
    const { limit, onMessage } = this.#options;
    this.#state = 'between';
    if (this.#size === 0 && last.length <= limit) {
      onMessage(withoutEnd(last), false);
      return;
    }
    this.#hold(last);
    const message = this.#held.subarray(0, this.#size);
    onMessage(this.#cut ? message : withoutEnd(message), this.#cut);
    this.#size = 0;
    this.#cut = false;
    // A connection that once sent a long message must not keep its buffer.
    if (this.#held.length >= limit && spare.length < MOST_SPARE) spare.push(this.#held);
    this.#held = NONE;
  }

  /** Returns a buffer for a message of at least `size` bytes. */
  #larger(size: number): Buffer {
    const { limit } = this.#options;
    const next = Math.min(limit, Math.max(1024, size * 2));
    if (next < limit) return Buffer.allocUnsafeSlow(next);
    const last = spare.at(-1);
    if (last === undefined || last.length < limit) return Buffer.allocUnsafeSlow(limit);
    return spare.pop()!;
  }
}

/** Returns a message without the line feeds and NULs that senders put after it. */
export function withoutEnd(message: Uint8Array): Uint8Array {
  let end = message.length;
  while (end > 0 && isEnd(message[end - 1]!)) end--;
  return end === message.length ? message : message.subarray(0, end);
}

function isEnd(byte: number): boolean {
  return byte === LF || byte === CR || byte === NUL;
}
