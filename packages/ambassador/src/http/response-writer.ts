import type { Socket } from 'node:net';
import type { LentBytes } from '../memory/lent-bytes.ts';
import type { MemoryBudget } from '../memory/memory-budget.ts';
import { WaitingBytes } from '../memory/waiting-bytes.ts';
import { lastChunk, writeChunk } from './chunked-encoder.ts';
import { SMALL } from './small.ts';

/** Writes responses to a client's socket, the head together with the start of its body. */
export class ResponseWriter {
  readonly #socket: Socket;
  /** The head, while it waits for the start of its body. */
  #head = '';
  #chunked = false;

  /** Copies that wait for the client. */
  readonly #waiting: WaitingBytes;

  constructor(socket: Socket, memory: MemoryBudget) {
    this.#socket = socket;
    this.#waiting = new WaitingBytes(memory);
  }

  /** Notes that the client has taken everything, or that the connection is over for the writer. */
  drained(): void {
    this.#waiting.set(0);
  }

  /** @param head the head as text. @param chunked whether the body goes out in chunks. */
  begin(head: string, chunked: boolean): void {
    this.#head = head;
    this.#chunked = chunked;
  }

  /** Writes lent bytes of the body; returns false if no more should be written until `drain`. */
  body(lent: LentBytes, start: number, end: number): boolean {
    const socket = this.#socket;
    const head = this.#head;
    this.#head = '';
    let more: boolean;
    if (this.#chunked) more = writeChunk(socket, head, lent, start, end);
    else if (end - start <= SMALL)
      more = socket.write(head + lent.bytes.toString('latin1', start, end), 'latin1');
    else {
      if (head !== '') socket.write(head, 'latin1');
      lent.retain();
      more = socket.write(lent.bytes.subarray(start, end), () => lent.release());
    }
    // Lent bytes are counted by their pool.
    if (!more && end - start <= SMALL) this.#waiting.set(socket.writableLength);
    return more;
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
