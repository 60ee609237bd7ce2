import { closeSync, readSync, writeSync } from 'node:fs';
import { SharedMemoryError } from '../native/error.ts';
import { loadNative, type Native } from '../native/native.ts';
import { type FileOptions, openFile, type SegmentFile } from '../segment/file.ts';
import { type Mapping, mapMirrored } from '../segment/mapping.ts';
import { HEADER, MAGIC, MAX_CAPACITY, MIN_CAPACITY, VERSION, Word } from './layout.ts';

export interface RingOptions extends Omit<FileOptions, 'access'> {
  /**
   * For a ring that is created: bytes of records that it holds, each with 4 bytes before it; a
   * power of two from 64 KiB to 1 GiB, 1 MiB by default.
   */
  readonly capacity?: number;
}

/** A ring that is open and mapped. */
export interface OpenRing {
  readonly native: Native;
  readonly descriptor: number;
  readonly created: boolean;
  readonly mapping: Mapping;
  readonly capacity: number;
}

/** Opens, or creates, a ring and checks its header. @throws {SharedMemoryError} */
export async function openRing(options: RingOptions): Promise<OpenRing> {
  const { name, capacity = 2 ** 20 } = options;
  if (options.create && !isCapacity(capacity)) {
    throw new SharedMemoryError({
      code: 'EINVAL',
      syscall: 'shm_open',
      subject: `ring ${name}`,
      reason: `cannot have a capacity of ${capacity} B`,
      remedy: `use a power of two from ${MIN_CAPACITY} to ${MAX_CAPACITY}`,
    });
  }
  const native = await loadNative(`ring ${name}`);
  const file = openFile(native, options, HEADER + capacity, (descriptor) => {
    const words = Int32Array.of(MAGIC, VERSION, HEADER, capacity);
    writeSync(descriptor, words, 0, words.byteLength, 0);
  });
  const { descriptor, created } = file;
  try {
    const found = readCapacity(name, file);
    const mapping = mapMirrored(native, { descriptor, name, header: HEADER, data: found });
    return { native, descriptor, created, mapping, capacity: found };
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
}

/** Unmaps a ring and closes its file, with every lock that this descriptor holds. */
export function closeRing({ mapping, descriptor }: OpenRing): void {
  mapping.close();
  closeSync(descriptor);
}

/** Reads the header once; what it says later does not matter. */
function readCapacity(name: string, { descriptor, size }: SegmentFile): number {
  const words = new Int32Array(4);
  const read = readSync(descriptor, words, 0, words.byteLength, 0);
  const fault = (reason: string, remedy: string) =>
    new SharedMemoryError({
      code: 'EPROTO',
      syscall: 'shm_open',
      subject: `ring ${name}`,
      reason,
      remedy,
    });
  if (read < words.byteLength || words[Word.magic] !== MAGIC)
    throw fault('is a segment without a ring', 'use another name');
  if (words[Word.version] !== VERSION)
    throw fault(
      `has version ${words[Word.version]} of the layout, this program knows version ${VERSION}`,
      'run the same release on both sides',
    );
  const capacity = words[Word.capacity]!;
  if (words[Word.header] !== HEADER || !isCapacity(capacity) || size < HEADER + capacity)
    throw fault(
      `has a header of ${words[Word.header]} B and a capacity of ${capacity} B in ${size} B, which contradict each other`,
      'remove it, so that it is created again',
    );
  return capacity;
}

function isCapacity(capacity: number): boolean {
  return (
    Number.isInteger(capacity) &&
    capacity >= MIN_CAPACITY &&
    capacity <= MAX_CAPACITY &&
    (capacity & (capacity - 1)) === 0
  );
}
