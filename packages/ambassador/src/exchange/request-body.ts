import type { CanonicalRequest } from '../http/canonical-request.ts';
import { SMALL } from '../http/small.ts';
import { KeptBytes, type LentBytes } from '../memory/lent-bytes.ts';
import type { MemoryBudget } from '../memory/memory-budget.ts';
import { WaitingBytes } from '../memory/waiting-bytes.ts';
import type { ResponseReceiver } from '../upstream/response-receiver.ts';
import type { UpstreamStream } from '../upstream/upstream-stream.ts';

const NO_TRAILERS: readonly string[] = [];

/** Passes a request's body upstream, and keeps what was sent, while it is small, for a retry. */
export class RequestBody {
  /** Whether everything that arrived so far can be sent again. */
  repeatable = false;
  /** In bytes; -1 if unknown. */
  #length = 0;
  /** The piece that arrived with the head. */
  #first: LentBytes | undefined;
  /**
   * One copy of the pieces that arrived later: tiny pieces would take far more memory than they have
   * bytes.
   */
  #kept: Buffer | undefined;
  #keptSize = 0;
  /** The trailers, once the body is complete. */
  #ended: readonly string[] | undefined;
  readonly #waiting: WaitingBytes;

  constructor(memory: MemoryBudget) {
    this.#waiting = new WaitingBytes(memory);
  }

  /** @param length in bytes; -1 if unknown. @param repeatable whether the method is. */
  begin(length: number, first: LentBytes | undefined, repeatable: boolean): void {
    this.repeatable = repeatable;
    this.#length = length;
    this.#first = first;
    this.#waiting.set(this.#firstSize());
    this.#kept = undefined;
    this.#keptSize = 0;
    this.#ended = undefined;
  }

  /** Drops everything that was kept: there will be no other try. */
  clear(): void {
    this.repeatable = false;
    this.#first?.release();
    this.#first = undefined;
    this.#kept = undefined;
    this.#waiting.set(0);
  }

  /**
   * Sends the head and what has arrived of the body.
   * @returns false if no more should arrive for now.
   */
  sendWith(request: CanonicalRequest, stream: UpstreamStream, receiver: ResponseReceiver): boolean {
    const first = this.#first;
    const size = first === undefined ? 0 : first.bytes.length;
    const complete = this.#ended === undefined && size === this.#length;
    let more = true;
    if (size <= SMALL) stream.begin(receiver, request, first?.bytes, complete);
    else {
      stream.begin(receiver, request, undefined, false);
      first!.retain();
      more = stream.sendBody(first!);
      if (complete) stream.endBody(NO_TRAILERS);
    }
    if (this.#kept !== undefined)
      more = stream.sendBody(new KeptBytes(this.#kept.subarray(0, this.#keptSize)));
    if (this.#ended !== undefined) stream.endBody(this.#ended);
    if (!this.repeatable) this.clear();
    return more;
  }

  /**
   * Takes a piece over. Without a stream, between two tries, it waits for the next one.
   * @returns false if no more should arrive for now.
   */
  take(piece: LentBytes, stream: UpstreamStream | undefined): boolean {
    if (this.repeatable) {
      if (stream !== undefined && this.#keptSize + piece.bytes.length > SMALL) this.clear();
      else this.#keep(piece.bytes);
    }
    if (stream !== undefined) return stream.sendBody(piece);
    piece.release();
    return false;
  }

  /** Ends the body. @param trailers names and values in turn. */
  end(trailers: readonly string[], stream: UpstreamStream | undefined): void {
    this.#ended = trailers;
    stream?.endBody(trailers);
  }

  #keep(chunk: Buffer) {
    const before = this.#keptSize;
    this.#keptSize += chunk.length;
    if (this.#kept === undefined || this.#keptSize > this.#kept.length) {
      const larger = Buffer.allocUnsafeSlow(before === 0 ? chunk.length : 2 * this.#keptSize + 256);
      this.#kept?.copy(larger, 0, 0, before);
      this.#kept = larger;
    }
    chunk.copy(this.#kept, before);
    this.#waiting.set(this.#firstSize() + this.#kept.length);
  }

  /** Bytes of the first piece that are not counted otherwise. */
  #firstSize(): number {
    return this.#first === undefined || this.#first.counted ? 0 : this.#first.bytes.length;
  }
}
