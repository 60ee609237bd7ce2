import { closeSync, fstatSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { SharedMemoryError } from '../native/error.ts';
import { loadNative, type Native } from '../native/native.ts';
import { FutexWord, type WaitOptions, type WaitResult } from '../wait/futex.ts';
import { SEGMENT_DIRECTORY } from './explain.ts';
import {
  checkSize,
  type FileOptions,
  invalid,
  isMissing,
  openFile,
  reserve,
  type SegmentFile,
  system,
} from './file.ts';
import { type Mapping, mapSegment } from './mapping.ts';
import { checkSegmentName } from './name.ts';

export interface SegmentOptions extends FileOptions {
  /** For a segment that is created, in bytes, 1 to 64 GiB; an existing one keeps its own. */
  readonly size?: number;
}

/**
 * A POSIX shared memory segment (shm_overview(7)), mapped as an `ArrayBuffer`. Other processes
 * change it at any time: use `Atomics` for what both sides write, and check every length and
 * index that is read from it. A process that truncates the segment kills those who then touch
 * the lost pages (SIGBUS): share it only with containers that you trust that far.
 */
export class Segment {
  readonly name: string;
  /** Whether `open` created the segment, instead of finding it. */
  readonly created: boolean;
  readonly access: 'read' | 'both';
  readonly #native: Native;
  readonly #descriptor: number;
  #mapping: Mapping;
  readonly #waits = new Set<FutexWord>();

  private constructor(native: Native, file: SegmentFile, options: SegmentOptions) {
    this.name = options.name;
    this.created = file.created;
    this.access = options.access ?? 'both';
    this.#native = native;
    this.#descriptor = file.descriptor;
    this.#mapping = this.#map(file.size);
  }

  /** Opens, or creates, a segment and maps all of it. @throws {SharedMemoryError} */
  static async open(options: SegmentOptions): Promise<Segment> {
    const native = await loadNative(`segment ${options.name}`);
    const file = openFile(native, options, options.size);
    try {
      return new Segment(native, file, options);
    } catch (error) {
      closeSync(file.descriptor);
      throw error;
    }
  }

  /**
   * The memory; a new object after `grow`. With `access: 'read'` a write to it kills the process
   * (SIGSEGV): the page tables refuse it, not JavaScript.
   */
  get buffer(): ArrayBuffer {
    return this.#mapping.buffer;
  }

  /** In bytes; 0 if the segment is closed. */
  get size(): number {
    return this.#mapping.buffer.byteLength;
  }

  get closed(): boolean {
    return this.#mapping.closed;
  }

  /**
   * Tells this segment from another of the same name, and whether the name still leads to it:
   * `links` is 0 once it was unlinked, and `size` is the file's now, in bytes.
   */
  identity(): { readonly inode: bigint; readonly links: number; readonly size: number } {
    this.#assertOpen('fstat');
    const { ino, nlink, size } = fstatSync(this.#descriptor, { bigint: true });
    return { inode: ino, links: Number(nlink), size: Number(size) };
  }

  /**
   * Reserves memory up to `size` bytes and maps it; views of the old `buffer` are detached. Other
   * processes see the new part once they call `grow` too. A smaller size than now is refused: it
   * would kill those who use the rest. @throws {SharedMemoryError}
   */
  grow(size: number): void {
    this.#assertOpen('fallocate');
    checkSize(this.name, size);
    if (size < this.size)
      throw invalid(
        this.name,
        `has ${this.size} B and cannot shrink to ${size} B`,
        'make a new one',
      );
    if (this.access === 'both') reserve(this.#native, this.#descriptor, this.name, size);
    else if (this.identity().size < size)
      throw invalid(this.name, `has ${this.identity().size} B`, 'let a side that writes grow it');
    const grown = this.#map(size);
    this.#unmap('woken');
    this.#mapping = grown;
  }

  /**
   * Waits while the 32-bit word at `offset` (bytes, a multiple of four) holds `expected`: in a
   * thread of libuv's pool, of which all waits together take two at most. Whoever changes the
   * word calls `wake` after it.
   */
  async wait(offset: number, expected: number, options?: WaitOptions): Promise<WaitResult> {
    const word = this.#word(offset);
    this.#waits.add(word);
    try {
      return await word.wait(expected | 0, options);
    } finally {
      this.#waits.delete(word);
    }
  }

  /** Wakes up to `count` (all by default) waiters of all processes. @returns how many. */
  wake(offset: number, count?: number): number {
    return this.#word(offset).wake(count);
  }

  /** Removes the name; whoever has the segment open continues to use it. */
  unlink(): void {
    this.#assertOpen('shm_unlink');
    system('shm_unlink', this.name, () => unlinkSync(join(SEGMENT_DIRECTORY, this.name)));
  }

  /** Unmaps the segment: every view of it is detached, waits end with `closed`. */
  close(): void {
    if (this.#mapping.closed) return;
    this.#unmap('closed');
    closeSync(this.#descriptor);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #map(size: number): Mapping {
    const { name, access } = this;
    return mapSegment(this.#native, { descriptor: this.#descriptor, name, size, access });
  }

  #unmap(result: WaitResult) {
    for (const word of this.#waits) word.close(result);
    this.#mapping.close();
  }

  #word(offset: number): FutexWord {
    this.#assertOpen('futex');
    if (!Number.isInteger(offset) || offset < 0 || offset % 4 !== 0 || offset + 4 > this.size)
      throw invalid(
        this.name,
        `has no word at byte ${offset}`,
        `use a multiple of four from 0 to ${this.size - 4}`,
      );
    return new FutexWord(this.#native, this.#mapping, offset);
  }

  #assertOpen(syscall: string) {
    if (!this.#mapping.closed) return;
    throw new SharedMemoryError({
      code: 'EBADF',
      syscall,
      subject: `segment ${this.name}`,
      reason: 'is closed',
      remedy: 'open it again',
    });
  }
}

/** Removes a segment by name without opening it. @returns whether it existed. @throws {SharedMemoryError} */
export function unlinkSegment(name: string): boolean {
  const broken = checkSegmentName(name);
  if (broken) throw invalid(name, broken.rule, broken.remedy);
  try {
    system('shm_unlink', name, () => unlinkSync(join(SEGMENT_DIRECTORY, name)));
    return true;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}
