import { EventEmitter } from 'node:events';
import { fstatSync } from 'node:fs';
import { errno, errnoName, PosixMQError } from './errors/error.ts';
import { explainOther, explainTransfer } from './errors/explain.ts';
import { type Attributes, loadNative, type Native } from './native/native.ts';
import { Readiness } from './native/readiness.ts';
import { outsideSlab, type Slab } from './native/slab.ts';
import { type OpenOptions, openDescriptor } from './open.ts';

type Events = { messages: []; drain: [] };

/**
 * A POSIX message queue (mq_overview(7)). Nothing blocks: a full queue makes `push` return false
 * and an empty one makes `shift` return false, and then `writable()` and `readable()`, or the
 * events, wait without polling and without a thread. Iterating takes messages as they arrive.
 *
 * Emits `messages` when there is something to shift, again only after a `shift` has found the
 * queue empty; and `drain` when there is room again after a `push` that returned false.
 */
export class PosixMQ extends EventEmitter<Events> {
  #name = '';
  #native: Native | undefined;
  #descriptor = -1;
  #maxmsgs = 0;
  #msgsize = 0;
  #created = false;
  #access: 'read' | 'write' | 'both' = 'both';
  #readiness: Readiness | undefined;
  readonly #priority = new Uint32Array(new ArrayBuffer(4));
  readonly #announcing = new Map<keyof Events, () => void>();
  /** Whether the last push found the queue full. */
  #refused = false;

  constructor() {
    super();
    this.on('newListener', (event: string | symbol) => {
      // `newListener` is emitted before the listener is added.
      queueMicrotask(() => {
        if (event === 'messages' || (event === 'drain' && this.#refused)) this.#announce(event);
      });
    });
    this.on('removeListener', (event: string | symbol) => {
      if ((event !== 'messages' && event !== 'drain') || this.listenerCount(event) > 0) return;
      this.#announcing.get(event)?.();
      this.#announcing.delete(event);
    });
  }

  /** Constructs and opens in one. @throws {PosixMQError} */
  static async open(options: OpenOptions): Promise<PosixMQ> {
    const queue = new PosixMQ();
    await queue.open(options);
    return queue;
  }

  /** Opens the queue. @throws {PosixMQError} with the reason, the limits found and a remedy. */
  async open(options: OpenOptions): Promise<void> {
    if (this.#descriptor !== -1) {
      throw new PosixMQError({
        code: 'EBUSY',
        syscall: 'mq_open',
        queue: options.name,
        reason: `cannot be opened, this one has ${this.#name} open`,
        remedy: 'close it first, or use another PosixMQ',
      });
    }
    const native = await loadNative(options.name);
    const { descriptor, created } = openDescriptor(native, options);
    this.#name = options.name;
    this.#native = native;
    this.#descriptor = descriptor;
    this.#created = created;
    this.#access = options.access ?? 'both';
    this.#readiness = new Readiness(() => native.poll(descriptor));
    ({ maxmsgs: this.#maxmsgs, msgsize: this.#msgsize } = this.attributes());
    this.#announce('messages');
  }

  get name(): string {
    return this.#name;
  }

  /** The mqd_t, which on Linux is a file descriptor; -1 while the queue is closed. */
  get descriptor(): number {
    return this.#descriptor;
  }

  /** The direction that it was opened for. */
  get access(): 'read' | 'write' | 'both' {
    return this.#access;
  }

  /** Whether `open` created the queue, instead of finding it. */
  get created(): boolean {
    return this.#created;
  }

  /** The most messages the queue holds. */
  get maxmsgs(): number {
    return this.#maxmsgs;
  }

  /** The largest message, in bytes. */
  get msgsize(): number {
    return this.#msgsize;
  }

  /** The messages in the queue now. */
  get curmsgs(): number {
    return this.attributes().curmsgs;
  }

  get isFull(): boolean {
    return this.curmsgs === this.#maxmsgs;
  }

  /** Reads mq_getattr(3). */
  attributes(): Attributes {
    const native = this.#opened('mq_getattr');
    const attributes = native.attributes(this.#descriptor);
    if (!attributes) throw this.#failed('mq_getattr');
    return attributes;
  }

  /**
   * Identifies this queue among others of the same name. `links` is 0 once the name was removed;
   * an open queue works without its name.
   */
  identity(): { readonly inode: bigint; readonly links: number } {
    this.#opened('fstat');
    const { ino, nlink } = fstatSync(this.#descriptor, { bigint: true });
    return { inode: ino, links: Number(nlink) };
  }

  /**
   * Adds a message; higher priorities (0–31 are portable) are shifted first, equal ones in order.
   * @returns false if the queue is full. @throws {PosixMQError} EMSGSIZE if it is too long.
   */
  push(message: Uint8Array | string, priority = 0): boolean {
    const bytes = typeof message === 'string' ? Buffer.from(message) : message;
    const native = this.#opened('mq_send');
    while (native.send(this.#descriptor, bytes, bytes.byteLength, priority) !== 0) {
      if (!this.#blocked('mq_send', bytes.byteLength, priority)) continue;
      this.#refused = true;
      this.#announce('drain');
      return false;
    }
    this.#refused = false;
    return true;
  }

  /** Takes the next message, or returns false if there is none. */
  shift(): Buffer | false;
  /** Takes it into `buffer`, of at least `msgsize` bytes, and returns its length. */
  shift(buffer: Uint8Array): number | false;
  /** Also returns its priority. */
  shift(buffer: Uint8Array, withPriority: true): [length: number, priority: number] | false;
  shift(
    buffer?: Uint8Array,
    withPriority?: boolean,
  ): Buffer | number | [length: number, priority: number] | false {
    const target = buffer ?? Buffer.allocUnsafe(this.#msgsize);
    const length = this.#receive(target);
    if (length === -1) {
      this.#announce('messages');
      return false;
    }
    if (withPriority) return [length, this.#priority[0]!];
    return buffer ? length : (target as Buffer).subarray(0, length);
  }

  /** Takes all messages that are there, at most `max`. */
  shiftAll(max = Number.POSITIVE_INFINITY): Buffer[] {
    const messages: Buffer[] = [];
    while (messages.length < max) {
      const message = this.shift();
      if (message === false) break;
      messages.push(message);
    }
    return messages;
  }

  /**
   * Sends as `push` does, from a place in a slab, for loops over many messages.
   * Does not emit `drain`; wait with `writable()`.
   */
  sendFrom(slab: Slab, offset: number, length: number, priority = 0): boolean {
    const native = this.#opened('mq_send');
    if (offset < 0 || length < 0 || offset + length > slab.length) throw outsideSlab(slab);
    while (native.sendAt(this.#descriptor, slab.address + offset, length, priority) !== 0) {
      if (this.#blocked('mq_send', length, priority)) return false;
    }
    return true;
  }

  /**
   * Receives as `shift` does, into a place of a slab that has `msgsize` bytes left; returns the
   * length, or -1 if there is no message.
   */
  receiveInto(slab: Slab, offset: number): number {
    const native = this.#opened('mq_receive');
    if (offset < 0 || offset + this.#msgsize > slab.length) throw outsideSlab(slab);
    for (;;) {
      const address = slab.address + offset;
      const length = native.receiveAt(this.#descriptor, address, this.#msgsize, 0);
      if (length >= 0) return length;
      if (this.#blocked('mq_receive', this.#msgsize)) return -1;
    }
  }

  /**
   * Calls back once when there is a message (true) or the queue is closed (false): `readable`
   * without a promise. Returns a function that cancels.
   */
  whenReadable(callback: (ready: boolean) => void): () => void {
    this.#opened('poll');
    return this.#readiness?.wait('readable', callback) ?? (() => {});
  }

  /** Waits as `whenReadable` does, for room. */
  whenWritable(callback: (ready: boolean) => void): () => void {
    this.#opened('poll');
    return this.#readiness?.wait('writable', callback) ?? (() => {});
  }

  /** Resolves to true when there is a message; to false if aborted or closed before. */
  readable(signal?: AbortSignal): Promise<boolean> {
    return this.#readiness?.promise('readable', signal) ?? Promise.resolve(false);
  }

  /** Resolves to true when there is room; to false if aborted or closed before. */
  writable(signal?: AbortSignal): Promise<boolean> {
    return this.#readiness?.promise('writable', signal) ?? Promise.resolve(false);
  }

  /**
   * Takes messages as they arrive, until the queue is closed. Several iterations of one queue share
   * its messages.
   */
  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer, void, undefined> {
    do {
      let message = this.#descriptor === -1 ? false : this.shift();
      while (message !== false) {
        yield message;
        message = this.#descriptor === -1 ? false : this.shift();
      }
    } while (await this.readable());
  }

  /** Removes the name; processes that have the queue open continue to use it. */
  unlink(): void {
    const native = this.#opened('mq_unlink');
    if (native.unlink(this.#name) !== 0) throw this.#failed('mq_unlink');
  }

  /** Closes the descriptor; waits end with false. Closing twice is allowed. */
  close(): void {
    if (this.#descriptor === -1) return;
    this.#readiness?.close();
    this.#native?.close(this.#descriptor);
    this.#descriptor = -1;
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #opened(syscall: string): Native {
    if (this.#descriptor !== -1 && this.#native) return this.#native;
    throw new PosixMQError({
      code: 'EBADF',
      syscall,
      queue: this.#name || '(none)',
      reason: 'is not open',
      remedy: 'open it first',
    });
  }

  #receive(target: Uint8Array): number {
    const native = this.#opened('mq_receive');
    const size = target.byteLength;
    for (;;) {
      const length = native.receive(this.#descriptor, target, size, this.#priority);
      if (length >= 0) return length;
      if (this.#blocked('mq_receive', size)) return -1;
    }
  }

  /** Returns true if the queue is full or empty, false if the call must be repeated. */
  #blocked(syscall: 'mq_send' | 'mq_receive', size: number, priority = 0): boolean {
    const value = this.#native?.errno();
    if (value === errno.EAGAIN) return true;
    if (value === errno.EINTR) return false;
    throw explainTransfer(errnoName(value ?? 0), syscall, {
      name: this.#name,
      msgsize: this.#msgsize,
      size,
      priority,
    });
  }

  #failed(syscall: string): PosixMQError {
    return explainOther(errnoName(this.#native?.errno() ?? 0), syscall, this.#name);
  }

  /** Emits `event` once, when it becomes true; does nothing while nobody listens. */
  #announce(event: keyof Events) {
    if (this.#announcing.has(event) || this.listenerCount(event) === 0) return;
    const direction = event === 'messages' ? 'readable' : 'writable';
    const cancel = this.#readiness?.wait(direction, (ready) => {
      this.#announcing.delete(event);
      if (ready) this.emit(event);
    });
    if (cancel) this.#announcing.set(event, cancel);
  }
}

/** Removes a queue by name without opening it. @returns whether it existed. @throws {PosixMQError} */
export async function unlinkQueue(name: string): Promise<boolean> {
  const native = await loadNative(name);
  if (native.unlink(name) === 0) return true;
  if (native.errno() === errno.ENOENT) return false;
  throw explainOther(errnoName(native.errno()), 'mq_unlink', name);
}
