import { closeSync, fdatasyncSync, fstatSync, openSync, readSync, writeSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import { openRegularFile } from '../regular-file.ts';

const SLOT = 4096;
const HEADER = 12;

/**
 * Keeps a small JSON value in a file, written in place to one of two slots in turn, with a
 * checksum: a crash at any instant leaves the old or the new value, and a write is one system call
 * and never needs more space on the disk.
 */
export class SlotFile<T> {
  readonly #descriptor: number;
  readonly #slot = Buffer.alloc(SLOT);
  #generation = 0;
  readonly #sync: boolean;
  /** Whether there was a value when it was opened. */
  readonly found: boolean;
  /** Whether one of the two values was unreadable then: it may have been the newer one. */
  readonly damaged: boolean;

  /**
   * Opens or creates the file; with `sync`, a write returns when the value is on the disk.
   * @throws the system call's error.
   */
  constructor(path: string, initial: T, { sync = false } = {}) {
    this.#sync = sync;
    this.#descriptor = openOrCreate(path);
    const { newest, damaged } = readSlots<T>(this.#descriptor);
    this.damaged = damaged;
    this.found = newest !== undefined;
    this.#generation = newest?.generation ?? 0;
    this.value = newest?.value ?? initial;
    if (!newest) {
      // Write both slots, so that the disk has space for both from now on.
      this.write(initial);
      this.write(initial);
    }
  }

  value: T;

  /** Replaces the value. @throws RangeError if the JSON text is longer than 4084 bytes. */
  write(value: T): void {
    const text = JSON.stringify(value);
    const length = Buffer.byteLength(text);
    if (length > SLOT - HEADER) throw new RangeError(`${length} bytes do not fit a slot`);
    const generation = this.#generation + 1;
    this.#slot.fill(0);
    this.#slot.writeUInt32BE(generation, 4);
    this.#slot.writeUInt32BE(length, 8);
    this.#slot.write(text, HEADER);
    this.#slot.writeUInt32BE(crc32(this.#slot.subarray(4, HEADER + length)), 0);
    writeSync(this.#descriptor, this.#slot, 0, SLOT, (generation % 2) * SLOT);
    if (this.#sync) fdatasyncSync(this.#descriptor);
    this.#generation = generation;
    this.value = value;
  }

  close(): void {
    closeSync(this.#descriptor);
  }
}

/** Reads the value without opening the file for writing; undefined if there is none. */
export function readSlotFile<T>(path: string): T | undefined {
  let descriptor: number | undefined;
  try {
    descriptor = openRegularFile(path, 'r');
  } catch {
    return undefined;
  }
  if (descriptor === undefined) return undefined;
  try {
    return readSlots<T>(descriptor).newest?.value;
  } finally {
    closeSync(descriptor);
  }
}

function openOrCreate(path: string): number {
  try {
    return openSync(path, 'r+', 0o600);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return openSync(path, 'w+', 0o600);
  }
}

interface Slots<T> {
  readonly newest: { readonly generation: number; readonly value: T } | undefined;
  readonly damaged: boolean;
}

function readSlots<T>(descriptor: number): Slots<T> {
  const found: { generation: number; value: T }[] = [];
  const { size } = fstatSync(descriptor);
  let damaged = false;
  const slot = Buffer.alloc(SLOT);
  for (const index of [0, 1]) {
    slot.fill(0);
    readSync(descriptor, slot, 0, SLOT, index * SLOT);
    const generation = slot.readUInt32BE(4);
    const length = slot.readUInt32BE(8);
    if (
      length > 0 &&
      length <= SLOT - HEADER &&
      crc32(slot.subarray(4, HEADER + length)) === slot.readUInt32BE(0)
    ) {
      found.push({ generation, value: JSON.parse(slot.toString('utf8', HEADER, HEADER + length)) });
      continue;
    }
    // A process that ended between the first two writes leaves a slot without a byte.
    damaged ||= size > 0 && (size < 2 * SLOT || slot.some((byte) => byte !== 0));
  }
  return { newest: found.toSorted((a, b) => b.generation - a.generation)[0], damaged };
}
