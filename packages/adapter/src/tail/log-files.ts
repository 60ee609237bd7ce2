import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { errorText, type Log } from '@sidekit/core';
import { factsOf } from './candidates.ts';
import { makeRoom } from './descriptors.ts';
import type { FileFacts } from './generation.ts';
import type { Logs } from './logs.ts';

interface LogFilesOptions {
  /** The number of log files that may be open at a time. */
  readonly mostOpenFiles: number;
  readonly log: Log;
}

/** Opens log files, and logs once for each that it cannot be opened. */
export class LogFiles {
  readonly #unreadable = new Set<string>();
  readonly #logs: Logs;
  readonly #options: LogFilesOptions;
  /** How many files may be opened before those that are open are counted again. */
  #room = 0;
  /** Whether no file could be closed in this scan: to try for each further one would be quadratic. */
  #isFull = false;

  constructor(logs: Logs, options: LogFilesOptions) {
    this.#logs = logs;
    this.#options = options;
  }

  /** The paths that cannot be opened. */
  get unreadable(): ReadonlySet<string> {
    return this.#unreadable;
  }

  /** Begins a scan, in which there may be room again. */
  beginScan(): void {
    this.#isFull = false;
  }

  /**
   * Opens the file if it still has this inode, and closes another one if there are too many; never
   * blocks, as opening a pipe would.
   */
  open(path: string, inode: string): FileFacts | undefined {
    if (this.#room <= 0) {
      if (this.#isFull) return undefined;
      this.#room = makeRoom(this.#logs.generations(), this.#options.mostOpenFiles);
      this.#isFull = this.#room <= 0;
      if (this.#isFull) return undefined;
    }
    let fd: number | undefined;
    try {
      fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
      const opened = fd;
      this.#room--;
      const facts = factsOf(() => fstatSync(opened, { bigint: true }));
      this.#unreadable.delete(path);
      if (facts && facts.inode === inode) return { ...facts, fd, path };
    } catch (error) {
      this.#complain(path, error);
    }
    if (fd !== undefined) closeSync(fd);
    return undefined;
  }

  /** Forgets failures of names that no longer exist in a directory. */
  retain(directory: string, entries: readonly { readonly name: string }[]): void {
    for (const path of this.#unreadable) {
      if (dirname(path) !== directory) continue;
      if (!entries.some(({ name }) => name === basename(path))) this.#unreadable.delete(path);
    }
  }

  #complain(path: string, error: unknown): void {
    const gone = (error as NodeJS.ErrnoException).code === 'ENOENT';
    if (gone || this.#unreadable.has(path)) return;
    this.#unreadable.add(path);
    this.#options.log.error('a log file cannot be opened; trying again at every scan', {
      event: 'file_unreadable',
      path,
      error: errorText(error),
    });
  }
}
