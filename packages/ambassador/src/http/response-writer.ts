import type { Socket } from 'node:net';
import { lastChunk, writeChunk } from './chunked-encoder.ts';
import { SMALL, Taken } from './lent-bytes.ts';

/** Writes responses to a client's socket, the head together with the start of its body. */
export class ResponseWriter {
  readonly #socket: Socket;
  /** The head, while it waits for the start of its body. */
  #head = '';
  #chunked = false;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  /** @param head the head as text. @param chunked whether the body goes out in chunks. */
  begin(head: string, chunked: boolean): void {
    this.#head = head;
    this.#chunked = chunked;
  }

  /** Writes lent bytes of the body. */
  body(buffer: Buffer, start: number, end: number): Taken {
    const socket = this.#socket;
    const head = this.#head;
    this.#head = '';
    if (this.#chunked) {
      if (!writeChunk(socket, head, buffer, start, end)) return Taken.full;
    } else if (end - start <= SMALL) {
      const more = socket.write(head + buffer.toString('latin1', start, end), 'latin1');
      return more ? Taken.written : Taken.full;
    } else {
      if (head !== '') socket.write(head, 'latin1');
      if (!socket.write(buffer.subarray(start, end))) return Taken.full;
    }
    return socket.writableLength === 0 ? Taken.written : Taken.kept;
  }

  /** @param trailers names and values in turn. */
  end(trailers: readonly string[]): void {
    const text = this.#chunked ? this.#head + lastChunk(trailers) : this.#head;
    if (text !== '') this.#socket.write(text, 'latin1');
    this.#head = '';
  }

  /** Sends a head that waits for its body. */
  flush(): void {
    if (this.#head !== '') this.#socket.write(this.#head, 'latin1');
    this.#head = '';
  }

  /** Discards a head that was not sent; returns false if it was. */
  discardHead(): boolean {
    const unsent = this.#head !== '';
    this.#head = '';
    return unsent;
  }
}
