import type { Native } from '../native/native.ts';
import { Word } from './layout.ts';
import type { Life } from './lock.ts';

/** Open file description locks (fcntl(2), asm-generic/fcntl.h). */
const F_OFD_GETLK = 36;
const F_OFD_SETLK = 37;
const F_RDLCK = 0;
const F_WRLCK = 1;
const F_UNLCK = 2;
const SEEK_SET = 0;

/**
 * One kernel lock for each participant, on the bytes of its generation in the segment's file. The
 * kernel releases it once the last thread of its process has ended: no process id is compared,
 * which would mean nothing in another container.
 */
export class FileLocks implements Life {
  readonly #native: Native;
  readonly #descriptor: number;
  /** struct flock: l_type, l_whence, l_start at 8, l_len at 16, l_pid at 24, which must be 0. */
  readonly #lock = new Uint8Array(32);
  readonly #view = new DataView(this.#lock.buffer);

  constructor(native: Native, descriptor: number) {
    this.#native = native;
    this.#descriptor = descriptor;
  }

  /**
   * Takes the lock of a slot. The kernel keeps it as long as the descriptor is open or memory is
   * mapped through it. @returns false if another descriptor holds it.
   */
  hold(slot: number): boolean {
    return this.#call(F_OFD_SETLK, F_WRLCK, slot) === 0;
  }

  release(slot: number): void {
    this.#call(F_OFD_SETLK, F_UNLCK, slot);
  }

  /** Whether another descriptor holds the lock; true if the kernel does not answer. */
  isAlive(slot: number): boolean {
    // A lock for reading conflicts only with one for writing: who may only read the segment
    // cannot pass for a participant.
    if (this.#call(F_OFD_GETLK, F_RDLCK, slot) !== 0) return true;
    return this.#view.getInt16(0, true) !== F_UNLCK;
  }

  #call(command: number, type: number, slot: number): number {
    const view = this.#view;
    view.setInt16(0, type, true);
    view.setInt16(2, SEEK_SET, true);
    view.setBigInt64(8, BigInt((Word.generations + slot) * 4), true);
    view.setBigInt64(16, 4n, true);
    view.setInt32(24, 0, true);
    return this.#native.fcntl(this.#descriptor, command, this.#lock);
  }
}
