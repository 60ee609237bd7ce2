import {
  closeSync,
  fstatSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  statSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { errorText, freeBytes, type Health, type Log, throttle } from '@sidekit/core';
import { byNumber } from '../../state/by-number.ts';
import { makeDirectory } from '../../state/make-directory.ts';
import { longestLine, writeLine } from './spool-line.ts';

export interface SpoolOptions {
  readonly directory: string;
  /** The name of its files, before `.log`. */
  readonly name: string;
  /** The largest size of all its files, in bytes; the last message may go beyond it. */
  readonly limit: number;
  readonly log: Log;
  readonly health: Health;
  /** Milliseconds since the epoch, of which each message gets one. */
  readonly wall: () => number;
  /** Removes a file if everything in it was delivered, and returns whether it did. */
  readonly remove: (path: string) => boolean;
}

/** The file is rotated at this share of the limit, since only complete files are removed. */
const SEGMENTS = 8;
/** Messages are written once they are this many bytes, and at the end of the turn. */
const WRITE_AT = 64 * 1024;
/** The pause after a failed write, in milliseconds. */
const RETRY = 1_000;
const LF = 0x0a;

/**
 * Received messages in files on the state volume, which the tailer reads like a log: so every
 * output has its own place in them, and they outlive a restart. It is full if the messages in it,
 * or those that could not be written, are not delivered yet.
 */
export class Spool {
  /** The live path of its log. */
  readonly path: string;
  readonly #options: SpoolOptions;
  readonly #segments: { readonly path: string; readonly size: number }[] = [];
  readonly #onRoom = new Set<() => void>();
  readonly #warning: { set(reason: string): void; clear(): void };
  readonly #logFailure: () => void;
  #failure = '';
  #fd: number | undefined;
  #size = 0;
  #total = 0;
  #pending: Buffer = Buffer.allocUnsafeSlow(WRITE_AT * 2);
  #length = 0;
  #flushing: NodeJS.Immediate | undefined;
  #retrying: NodeJS.Timeout | undefined;
  #stampAt = -1;
  #stamp: Buffer = Buffer.alloc(0);
  #lastName = 0;
  #isFull = false;

  /** Creates the directory and opens the file. @throws the system call's error. */
  constructor(options: SpoolOptions) {
    this.#options = options;
    const { directory, name, log, health } = options;
    this.path = join(directory, `${name}.log`);
    this.#warning = health.warning(`spool ${name}`);
    this.#logFailure = throttle(10_000, () =>
      log.error('received messages cannot be written to the state volume; trying again', {
        event: 'spool_failed',
        path: this.path,
        error: this.#failure,
      }),
    );
    makeDirectory(directory);
    for (const entry of readdirSync(directory).filter((one) => one.startsWith(`${name}.log.`))) {
      const path = join(directory, entry);
      this.#segments.push({ path, size: statSync(path).size });
      this.#lastName = Math.max(this.#lastName, Number(entry.slice(name.length + 5)) || 0);
    }
    this.#segments.sort((a, b) => byNumber(a.path, b.path));
    this.#total = this.#segments.reduce((sum, { size }) => sum + size, 0);
    this.#open();
  }

  /** Whether a sender that can wait should send more, and one that cannot is heard. */
  get hasRoom(): boolean {
    if (this.#total + this.#length < this.#options.limit && this.#failure === '') return true;
    if (!this.#isFull) {
      this.#isFull = true;
      this.#warning.set(
        this.#failure === ''
          ? 'is full: what was received is not delivered'
          : `cannot be written: ${this.#failure}`,
      );
    }
    return false;
  }

  /** The bytes in its files, delivered ones in the last file included. */
  get bytes(): number {
    return this.#total + this.#length;
  }

  /** Calls `listener` when there is room again. */
  onRoom(listener: () => void): void {
    this.#onRoom.add(listener);
  }

  /** Adds a message, whether or not there is room: callers stop sending without it. */
  add(message: Uint8Array, cut: boolean): void {
    const room = longestLine(message.length);
    if (this.#length + room > this.#pending.length) this.#flush();
    if (this.#length + room > this.#pending.length) {
      const larger = Buffer.allocUnsafeSlow(
        Math.max(this.#pending.length * 2, this.#length + room),
      );
      this.#pending.copy(larger, 0, 0, this.#length);
      freeBytes(this.#pending);
      this.#pending = larger;
    }
    const now = this.#options.wall();
    if (now !== this.#stampAt) {
      this.#stampAt = now;
      this.#stamp = Buffer.from(`${now} `);
    }
    this.#length = writeLine(this.#stamp, message, cut, this.#pending, this.#length);
    if (this.#length >= WRITE_AT) this.#flush();
    this.#flushing ??= setImmediate(() => {
      this.#flushing = undefined;
      this.#flush();
    });
  }

  /** Removes the files that were delivered. */
  release(): void {
    for (let first = this.#segments[0]; first; first = this.#segments[0]) {
      if (!this.#options.remove(first.path)) break;
      this.#segments.shift();
      this.#total -= first.size;
    }
    this.#announceRoom();
  }

  /** Writes what is left, as far as that is possible. */
  close(): void {
    clearImmediate(this.#flushing);
    clearTimeout(this.#retrying);
    this.#flush();
    clearTimeout(this.#retrying);
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }

  #announceRoom(): void {
    if (!this.#isFull || !this.hasRoom) return;
    this.#isFull = false;
    this.#warning.clear();
    for (const listener of this.#onRoom) listener();
  }

  #flush(): void {
    if (this.#retrying !== undefined) return;
    if (this.#length === 0 && this.#failure === '') return;
    let written = 0;
    try {
      if (this.#fd === undefined) this.#open();
      while (written < this.#length) {
        written += writeSync(this.#fd!, this.#pending, written, this.#length - written);
      }
      this.#failure = '';
    } catch (error) {
      this.#failed(error);
    }
    this.#size += written;
    this.#total += written;
    this.#pending.copy(this.#pending, 0, written, this.#length);
    this.#length -= written;
    if (this.#failure === '' && this.#size >= this.#options.limit / SEGMENTS) this.#rotate();
    this.#announceRoom();
  }

  #rotate(): void {
    // A number that only grows, and that no earlier file has.
    this.#lastName = Math.max(this.#lastName + 1, this.#options.wall());
    const path = `${this.path}.${this.#lastName}`;
    try {
      renameSync(this.path, path);
      closeSync(this.#fd!);
      this.#fd = undefined;
      this.#segments.push({ path, size: this.#size });
      this.#size = 0;
      this.#open();
    } catch (error) {
      // It grows on, and the next write tries again.
      this.#failed(error);
    }
  }

  #failed(error: unknown): void {
    this.#failure = errorText(error);
    this.#logFailure();
    this.#retrying ??= setTimeout(() => {
      this.#retrying = undefined;
      this.#flush();
    }, RETRY);
  }

  #open(): void {
    const fd = openSync(this.path, 'a+', 0o600);
    this.#fd = fd;
    this.#size = fstatSync(fd).size;
    this.#total = this.#segments.reduce((sum, { size }) => sum + size, 0) + this.#size;
    const last = Buffer.alloc(1, LF);
    if (this.#size > 0) readSync(fd, last, 0, 1, this.#size - 1);
    // A full disk may have cut the last line of an earlier process.
    if (last[0] !== LF) this.#size += writeSync(fd, Buffer.from([LF]));
  }
}
