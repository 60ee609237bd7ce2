import { parseFields } from './fields.ts';

/** Receives the data of a chunked body. The bytes are lent for the call only. */
export interface ChunkReceiver {
  onChunk(buffer: Buffer, start: number, end: number): void;
}

const State = { size: 0, data: 1, dataEnd: 2, trailers: 3, done: 4 } as const;
type State = (typeof State)[keyof typeof State];

/** The longest chunk-size line, extensions included, and the largest trailer section, in bytes. */
const MAX_LINE = 1024;
const MAX_TRAILERS = 16 * 1024;

/** Decodes the chunked transfer coding (RFC 9112 §7.1), strictly; chunk extensions are dropped. */
export class ChunkedDecoder {
  #state: State = State.size;
  #line = '';
  #remaining = 0;
  /** Trailer fields, names and values in turn, set once it is done. */
  trailers: string[] = [];

  get done(): boolean {
    return this.#state === State.done;
  }

  /**
   * Decodes bytes and returns the offset after the last one used.
   * @throws {Error} if they are malformed.
   */
  decode(buffer: Buffer, start: number, end: number, receiver: ChunkReceiver): number {
    let at = start;
    while (at < end && this.#state !== State.done) {
      if (this.#state === State.data) {
        const upTo = Math.min(end, at + this.#remaining);
        this.#remaining -= upTo - at;
        if (this.#remaining === 0) this.#state = State.dataEnd;
        receiver.onChunk(buffer, at, upTo);
        at = upTo;
        continue;
      }
      const lineFeed = buffer.indexOf(10, at);
      const upTo = lineFeed === -1 || lineFeed >= end ? end : lineFeed + 1;
      this.#line += buffer.toString('latin1', at, upTo);
      at = upTo;
      const limit = this.#state === State.trailers ? MAX_TRAILERS : MAX_LINE;
      if (this.#line.length > limit) throw new Error('a line of the chunked body is too long');
      if (this.#line.endsWith('\n')) this.#endLine();
    }
    return at;
  }

  #endLine() {
    const line = this.#line;
    if (this.#state === State.dataEnd) {
      if (line !== '\r\n') throw new Error('a chunk does not end where its size says');
      this.#state = State.size;
    } else if (this.#state === State.size) {
      const match = /^([0-9A-Fa-f]{1,13})(?:[ \t]*;[\t\x20-\x7e\x80-\xff]*)?\r\n$/.exec(line);
      if (!match) throw new Error('a chunk size is malformed');
      this.#remaining = Number.parseInt(match[1]!, 16);
      this.#state = this.#remaining === 0 ? State.trailers : State.data;
    } else {
      // Trailers are collected until the empty line that ends them.
      if (line !== '\r\n' && !line.endsWith('\r\n\r\n')) {
        if (!line.endsWith('\r\n')) throw new Error('a trailer is malformed');
        return;
      }
      const fields = parseFields(line, 0, line.length - 2);
      if (fields === undefined) throw new Error('a trailer is malformed');
      fields.names.forEach((name, i) => {
        if (fields.kinds[i] === 0) this.trailers.push(name, fields.values[i]!);
      });
      this.#state = State.done;
    }
    this.#line = '';
  }
}
