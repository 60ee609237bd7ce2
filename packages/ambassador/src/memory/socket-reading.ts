import net from 'node:net';
import { SMALL } from '../http/small.ts';
import { type LentBytes, LentPart, OwnBytes } from './lent-bytes.ts';
import { type ReadBuffer, type ReadBufferPool, SHARED, SHARED_SMALL } from './read-buffer.ts';

/** One read of a socket, for the time of the call. */
export interface Incoming {
  readonly bytes: Buffer;
  /** Returns a part of the bytes that stays valid until the caller releases it. */
  take(start: number, end: number): LentBytes;
}

export type Receiver = (read: Incoming) => void;

const ALWAYS = () => true;
const readings = new WeakMap<net.Socket, SocketReading>();

/**
 * Reads a socket into the buffer that all connections share, and a fast sender into buffers of the
 * pool. By itself node:net allocates 64 KiB for each read and gives back what was not needed: small
 * requests between such holes leave a heap that never shrinks.
 */
class SocketReading implements Incoming {
  bytes: Buffer = SHARED;
  /** Takes what is read; without one it goes to the socket's stream. */
  receiver: Receiver | undefined;
  /** Tells whether the receiver would take what comes next. */
  expectsMore: () => boolean = ALWAYS;
  readonly #pool: ReadBufferPool;
  /** The buffer that is read into, unless that is the shared one. */
  #current: ReadBuffer | undefined;
  #target: Buffer = SHARED;
  #full = false;
  #closed = false;

  constructor(pool: ReadBufferPool) {
    this.#pool = pool;
  }

  /** Returns the buffer of the next read. */
  next(): Buffer {
    // An idle connection, or one that another owner reads, would occupy it for long.
    const fast = this.#full && !this.#closed && this.receiver !== undefined && this.expectsMore();
    if (!fast || this.#current?.reusable === false) this.#rest();
    if (!fast) this.#target = SHARED;
    else {
      if (this.#current === undefined && this.#pool.available) this.#current = this.#pool.take();
      this.#target = this.#current?.bytes ?? SHARED_SMALL;
    }
    return this.#target;
  }

  /** Passes on what was read; returns whether reading continues. */
  read(length: number, socket: net.Socket): boolean {
    this.#full = length === this.#target.length;
    this.bytes = this.#target.subarray(0, length);
    if (this.receiver === undefined) return socket.push(Buffer.from(this.bytes));
    this.receiver(this);
    return !socket.isPaused();
  }

  take(start: number, end: number): LentBytes {
    const size = end - start;
    if (size <= SMALL) return new OwnBytes(Buffer.from(this.bytes.subarray(start, end)));
    const current = this.#current;
    if (current !== undefined) {
      current.retain();
      return new LentPart(current, start, end);
    }
    const own = this.#pool.take();
    this.bytes.copy(own.bytes, 0, start, end);
    return new LentPart(own, 0, size);
  }

  close(): void {
    this.#closed = true;
    this.#rest();
  }

  #rest() {
    this.#current?.release();
    this.#current = undefined;
  }
}

/** A piece that a socket allocated. */
class StreamPiece implements Incoming {
  readonly bytes: Buffer;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  take(start: number, end: number): LentBytes {
    const { bytes } = this;
    return new OwnBytes(
      start === 0 && end === bytes.length ? bytes : Buffer.from(bytes.subarray(start, end)),
    );
  }
}

/** Creates a socket that reads into shared memory. @param create makes it with the given option. */
export function readingShared(
  pool: ReadBufferPool,
  create: (onread: net.OnReadOpts) => net.Socket,
): net.Socket {
  const reading = new SocketReading(pool);
  const socket: net.Socket = create({
    buffer: () => reading.next(),
    callback: (length) => reading.read(length, socket),
  });
  readings.set(socket, reading);
  socket.once('close', () => reading.close());
  return socket;
}

/**
 * Returns a socket that reads into shared memory in place of one that a server has just accepted:
 * node:net has the option for sockets that connect only. A Node.js whose sockets differ loses no
 * more than the memory.
 */
export function acceptShared(
  accepted: net.Socket,
  pool: ReadBufferPool,
  options: net.SocketConstructorOpts,
): net.Socket {
  const before = accepted as unknown as Accepted;
  const handle = before._handle;
  if (typeof handle?.useUserBuffer !== 'function') return accepted;
  const server = before._server;
  before._handle = null;
  before._server = null;
  return readingShared(pool, (onread) => {
    const socket = new net.Socket({ ...options, handle, onread } as net.SocketConstructorOpts);
    // It counts among the server's connections.
    (socket as unknown as Accepted)._server = server;
    return socket;
  });
}

/** The parts of an accepted socket that make another one of it. */
interface Accepted {
  _handle: { readonly useUserBuffer?: unknown } | null;
  _server: net.Server | null;
}

/**
 * Passes on what a socket reads; returns the function that ends it.
 * @param expectsMore tells after a read whether `receiver` would take what comes next.
 */
export function receive(
  socket: net.Socket,
  receiver: Receiver,
  expectsMore: () => boolean = ALWAYS,
): () => void {
  const reading = readings.get(socket);
  if (reading !== undefined) {
    reading.receiver = receiver;
    reading.expectsMore = expectsMore;
  }
  // What was put back comes as data, and so does all that other sockets read.
  const onData = (bytes: Buffer) => receiver(new StreamPiece(bytes));
  socket.on('data', onData);
  return () => {
    if (reading !== undefined) reading.receiver = undefined;
    socket.off('data', onData);
  };
}
