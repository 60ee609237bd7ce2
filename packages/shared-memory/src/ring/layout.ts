/**
 * The layout of a ring in its segment, version 1, as the README documents it and
 * include/sidekit-ring.h declares it. Every word has 32 bits in the machine's byte order; those
 * that different sides write are 128 bytes apart, so that no cache line is shared.
 */

/** Bytes before the data: a multiple of every page size, so that the data can be mapped twice. */
export const HEADER = 65_536;

/** Indexes of 32-bit words in the header; a byte offset is four times as much. */
export const Word = {
  /** `SKRB`. */
  magic: 0,
  version: 1,
  /** Bytes of the header. */
  header: 2,
  /** Bytes of data: a power of two. */
  capacity: 3,
  /** The position behind the last record that is complete; positions count bytes modulo 2^32. */
  tail: 32,
  /** The position of the first record that the consumer has not released. */
  head: 64,
  /** The word for which the consumer waits: a record. See event.ts. */
  dataEvent: 96,
  /** The word for which producers wait: space. */
  spaceEvent: 128,
  /** The most bytes of space that a waiting producer needs. */
  spaceWanted: 160,
  /** 0, or the token of the producer that is writing. */
  lock: 192,
  /** The word for which producers wait: the lock. */
  lockEvent: 224,
  /** The generation of each participant: word 256 of the consumer, 257 to 319 of producers. */
  generations: 256,
} as const;

export const MAGIC = 0x42524b53;
export const VERSION = 1;
export const CONSUMER_SLOT = 0;
export const SLOTS = 64;

export const MIN_CAPACITY = 65_536;
export const MAX_CAPACITY = 2 ** 30;

/** Before each record: its length in bytes, as one word. Records begin at multiples of four. */
export const RECORD_HEADER = 4;

/** Bytes that a record of `length` bytes takes. */
export function recordSize(length: number): number {
  return RECORD_HEADER + ((length + 3) & ~3);
}

/** The largest record of a ring of `capacity` bytes, in bytes. */
export function largestRecord(capacity: number): number {
  return capacity - RECORD_HEADER;
}

/** Whether head and tail can be those of a ring of `capacity` bytes. */
export function plausible(head: number, tail: number, capacity: number): boolean {
  return ((head | tail) & 3) === 0 && (tail - head) >>> 0 <= capacity;
}
