import type { Slab } from '@sidekit/posix-mq';
import {
  RingConsumer,
  type RingOptions,
  RingProducer,
  SharedMemoryError,
} from '@sidekit/shared-memory';
import type { Dimensions, ReadEnd, WriteEnd } from './end.ts';

/** The largest record through a ring, in bytes: both sides keep one in memory. */
const LARGEST = 1024 * 1024;
/** The most messages in flight with at-least-once. */
const WINDOW = 4096;

/** Makes options from the dimensions of a ring that is created. */
function ringOptions(name: string, { mode, ringSize }: Dimensions): RingOptions {
  return { name, create: true, mode: Number.parseInt(mode, 8), capacity: ringSize };
}

/** Turns a wait of a ring into a callback; returns a function that cancels. */
function whenever(
  wait: (signal: AbortSignal) => Promise<boolean>,
  callback: () => void,
): () => void {
  const cancelled = new AbortController();
  void wait(cancelled.signal).then(() => {
    if (!cancelled.signal.aborted) callback();
  });
  return () => cancelled.abort();
}

/** Sends records through a ring: they are published together, by `flush`. */
export class RingWriteEnd implements WriteEnd {
  readonly #ring: RingProducer;
  readonly maxmsgs = WINDOW;
  readonly msgsize: number;
  #writing = false;

  private constructor(ring: RingProducer) {
    this.#ring = ring;
    this.msgsize = Math.min(ring.largest, LARGEST);
  }

  static async create(name: string, dimensions: Dimensions): Promise<RingWriteEnd> {
    return new RingWriteEnd(await RingProducer.open(ringOptions(name, dimensions)));
  }

  static async open(name: string): Promise<RingWriteEnd> {
    return new RingWriteEnd(await RingProducer.open({ name }));
  }

  get created(): boolean {
    return this.#ring.created;
  }

  get curmsgs(): number {
    return this.#ring.pending;
  }

  sendFrom(slab: Slab, offset: number, length: number): boolean {
    if (!this.#writing && !this.#ring.begin()) return false;
    this.#writing = true;
    if (this.#ring.append(slab.bytes, offset, offset + length)) return true;
    this.flush();
    return false;
  }

  push(message: Uint8Array | string): boolean {
    this.flush();
    return this.#ring.push(message);
  }

  flush(): void {
    if (!this.#writing) return;
    this.#writing = false;
    this.#ring.commit();
  }

  whenWritable(callback: () => void): () => void {
    this.flush();
    return whenever((signal) => this.#ring.writable(signal), callback);
  }

  identity(): ReturnType<RingProducer['identity']> {
    return this.#ring.identity();
  }

  unlink(): void {
    this.#ring.unlink();
  }

  close(): void {
    this.flush();
    this.#ring.close();
  }
}

/** Receives records from a ring; their room is freed together, by `release`. */
export class RingReadEnd implements ReadEnd {
  readonly #ring: RingConsumer;
  readonly maxmsgs = WINDOW;
  readonly msgsize: number;
  #invalid = 0;

  private constructor(ring: RingConsumer) {
    this.#ring = ring;
    this.msgsize = Math.min(ring.capacity, LARGEST);
  }

  static async open(name: string, create?: Dimensions): Promise<RingReadEnd> {
    return new RingReadEnd(await RingConsumer.open(create ? ringOptions(name, create) : { name }));
  }

  get created(): boolean {
    return this.#ring.created;
  }

  get curmsgs(): number {
    return this.#ring.pending;
  }

  receiveInto(slab: Slab, offset: number): number {
    const ring = this.#ring;
    while (this.#next()) {
      const length = ring.end - ring.start;
      if (length > this.msgsize || offset + length > slab.length) {
        this.#invalid++;
        continue;
      }
      ring.copyTo(slab.bytes, offset);
      return length;
    }
    this.release();
    return -1;
  }

  release(): void {
    this.#ring.release();
  }

  takeInvalid(): number {
    const invalid = this.#invalid;
    this.#invalid = 0;
    return invalid;
  }

  whenReadable(callback: () => void): () => void {
    return whenever((signal) => this.#ring.readable(signal), callback);
  }

  identity(): ReturnType<RingConsumer['identity']> {
    return this.#ring.identity();
  }

  unlink(): void {
    this.#ring.unlink();
  }

  close(): void {
    this.#ring.close();
  }

  /** Finds the next record. A ring that a faulty program broke is counted and read on. */
  #next(): boolean {
    try {
      return this.#ring.next();
    } catch (error) {
      if (!(error instanceof SharedMemoryError) || error.code !== 'EBADMSG') throw error;
      this.#invalid++;
      return false;
    }
  }
}
