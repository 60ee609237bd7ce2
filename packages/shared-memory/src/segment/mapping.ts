import { errnoName } from '../native/error.ts';
import type { Native } from '../native/native.ts';
import { explainSegment } from './explain.ts';

/** Constants of mmap(2) (asm-generic/mman-common.h). */
const PROT_NONE = 0;
const PROT_READ = 1;
const PROT_WRITE = 2;
const MAP_SHARED = 0x01;
const MAP_PRIVATE = 0x02;
const MAP_FIXED = 0x10;
const MAP_ANONYMOUS = 0x20;
const MAP_NORESERVE = 0x4000;

/**
 * Memory that is mapped, as an `ArrayBuffer`. `close` detaches the buffer, and so every view of
 * it, at once; the memory itself is unmapped when no thread waits in it any more.
 */
export class Mapping {
  readonly address: number;
  readonly buffer: ArrayBuffer;
  readonly #native: Native;
  readonly #length: number;
  #users = 1;
  #closed = false;

  constructor(native: Native, address: number, length: number) {
    this.#native = native;
    this.#length = length;
    this.address = address;
    this.buffer = native.view(address, length);
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Keeps the memory mapped until `leave`, for a thread that waits in it. */
  enter(): void {
    this.#users++;
  }

  leave(): void {
    if (--this.#users === 0) this.#native.munmap(this.address, this.#length);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.buffer.transfer(0);
    this.leave();
  }
}

/** Maps `size` bytes of a segment. @throws {SharedMemoryError} */
export function mapSegment(
  native: Native,
  { descriptor, name, size, access }: MapOptions,
): Mapping {
  const protection = access === 'read' ? PROT_READ : PROT_READ | PROT_WRITE;
  const address = native.mmap(0, size, protection, MAP_SHARED, descriptor, 0);
  if (address === -1) throw mapFailed(native, name, size);
  return new Mapping(native, address, size);
}

export interface MapOptions {
  readonly descriptor: number;
  readonly name: string;
  /** In bytes. */
  readonly size: number;
  readonly access: 'read' | 'both';
}

/**
 * Maps a header and, after it, the data twice in a row: what wraps around the end of the data is
 * in one piece in memory. Both lengths are multiples of the page size.
 * @throws {SharedMemoryError}
 */
export function mapMirrored(
  native: Native,
  options: { descriptor: number; name: string; header: number; data: number },
): Mapping {
  const { descriptor, name, header, data } = options;
  const length = header + 2 * data;
  const reservation = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
  const address = native.mmap(0, length, PROT_NONE, reservation, -1, 0);
  if (address === -1) throw mapFailed(native, name, length);
  const place = (at: number, size: number, offset: number) => {
    const flags = MAP_SHARED | MAP_FIXED;
    const placed = native.mmap(at, size, PROT_READ | PROT_WRITE, flags, descriptor, offset);
    if (placed !== -1) return;
    const error = mapFailed(native, name, length);
    native.munmap(address, length);
    throw error;
  };
  place(address, header + data, 0);
  place(address + header + data, data, header);
  return new Mapping(native, address, length);
}

function mapFailed(native: Native, name: string, size: number) {
  return explainSegment(errnoName(native.errno()), { syscall: 'mmap', name, size });
}
