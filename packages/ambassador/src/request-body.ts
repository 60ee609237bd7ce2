import { SMALL } from './answer-sink.ts';
import { lastChunk, writeChunk } from './http/chunked-encoder.ts';
import type { UpstreamConnection } from './upstream/connection.ts';

const NOTHING: Buffer[] = [];

/**
 * A request's body on its way upstream, framed by its length or in chunks. As long as there is
 * little of it, what was sent is kept for a second try.
 */
export class RequestBody {
  /** Whether all that came so far can be sent again. */
  repeatable = false;
  /** -1 where it is chunked. */
  #length = 0;
  /** What came with the head. */
  #first: Buffer | undefined;
  /** What came after that. */
  #kept: Buffer[] = NOTHING;
  #keptSize = 0;
  /** The trailers, once it has come whole. */
  #ended: readonly string[] | undefined;

  /** @param length in octets; -1 where it is chunked. @param repeatable whether the method is. */
  begin(length: number, first: Buffer | undefined, repeatable: boolean): void {
    this.repeatable = repeatable;
    this.#length = length;
    this.#first = first;
    this.#kept = NOTHING;
    this.#keptSize = 0;
    this.#ended = undefined;
  }

  /** Forgets what it kept. */
  clear(): void {
    this.#first = undefined;
    this.#kept = NOTHING;
  }

  /** Sends the head and what there is of the body; returns whether that is all of it. */
  sendWith(head: string, connection: UpstreamConnection): boolean {
    const { socket } = connection;
    const first = this.#first;
    if (first === undefined) socket.write(head, 'latin1');
    else if (first.length <= SMALL) socket.write(head + first.toString('latin1'), 'latin1');
    else {
      socket.cork();
      socket.write(head, 'latin1');
      socket.write(first);
      socket.uncork();
    }
    for (const chunk of this.#kept) this.#write(connection, chunk);
    if (this.#ended !== undefined) this.#writeEnd(connection, this.#ended);
    else if ((first === undefined ? 0 : first.length) === this.#length)
      connection.requestSent = true;
    return connection.requestSent;
  }

  /**
   * Takes a piece. Without a connection, between two tries, it waits for the next one.
   * @returns false where no more should come for now.
   */
  take(chunk: Buffer, connection: UpstreamConnection | undefined): boolean {
    if (this.repeatable) {
      this.#keptSize += chunk.length;
      if (this.#keptSize > SMALL && connection !== undefined) {
        this.repeatable = false;
        this.#kept = NOTHING;
      } else if (this.#kept === NOTHING) this.#kept = [chunk];
      else this.#kept.push(chunk);
    }
    return connection !== undefined && this.#write(connection, chunk);
  }

  /** It is whole. @param trailers names and values in turn. */
  end(trailers: readonly string[], connection: UpstreamConnection | undefined): void {
    this.#ended = trailers;
    if (connection !== undefined) this.#writeEnd(connection, trailers);
  }

  #write({ socket }: UpstreamConnection, chunk: Buffer): boolean {
    return this.#length === -1
      ? writeChunk(socket, '', chunk, 0, chunk.length)
      : socket.write(chunk);
  }

  #writeEnd(connection: UpstreamConnection, trailers: readonly string[]) {
    if (this.#length === -1) connection.socket.write(lastChunk(trailers), 'latin1');
    connection.requestSent = true;
  }
}
