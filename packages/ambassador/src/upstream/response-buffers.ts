import { SMALL } from '../http/small.ts';
import { KeptBytes, type LentBytes } from '../memory/lent-bytes.ts';
import { READ_SIZE, type ReadBufferPool, SHARED, SHARED_SMALL } from '../memory/read-buffer.ts';

/** Writers copy pieces up to `SMALL`, and `lend` copies larger ones. */
const lentShared: LentBytes = new KeptBytes(SHARED);

/** Chooses the buffer of each read: one shared by all, or one of the pool for large responses. */
export class ResponseBuffers {
  readonly #pool: ReadBufferPool;
  #lastRead = 0;
  /** Bytes that the buffer of the last read holds. */
  #size = READ_SIZE;
  /** The buffer that is read into, unless that is the shared one. */
  #current: ReturnType<ReadBufferPool['take']> | undefined;
  #closed = false;

  constructor(pool: ReadBufferPool) {
    this.#pool = pool;
  }

  /** Returns the buffer for the next read of a response with `remaining` bytes to come. */
  next(remaining: number): Buffer {
    if (this.#closed || (this.#lastRead <= SMALL && remaining <= SMALL)) {
      this.#releaseCurrent();
      this.#size = READ_SIZE;
      return SHARED;
    }
    if (this.#current?.reusable === false) this.#releaseCurrent();
    if (this.#current === undefined) {
      if (!this.#pool.available) {
        this.#size = SMALL;
        return SHARED_SMALL;
      }
      this.#current = this.#pool.take();
    }
    this.#size = READ_SIZE;
    return this.#current.bytes;
  }

  /** Returns what was just read, for the time of the call. */
  lend(length: number): LentBytes {
    this.#lastRead = length;
    if (this.#current !== undefined) return this.#current;
    if (length <= SMALL) return lentShared;
    this.#current = this.#pool.take();
    SHARED.copy(this.#current.bytes, 0, 0, length);
    return this.#current;
  }

  /** Whether the last read filled its buffer, so that there may be more which has arrived. */
  get full(): boolean {
    return this.#lastRead === this.#size;
  }

  /** The response has ended. */
  rest(): void {
    this.#lastRead = 0;
  }

  close(): void {
    this.#closed = true;
    this.#releaseCurrent();
  }

  #releaseCurrent() {
    this.#current?.release();
    this.#current = undefined;
  }
}
