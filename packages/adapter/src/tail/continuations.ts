import { closeSync, fstatSync } from 'node:fs';
import type { Log } from '@sidekit/core';
import type { FileFacts, Generation } from './generation.ts';
import type { Logs } from './logs.ts';
import type { NewGenerations } from './new-generations.ts';

interface Parts {
  readonly logs: Logs;
  readonly newGenerations: NewGenerations;
  readonly log: Log;
  readonly now: () => number;
}

/** Continues generations in the copies of their files, which may have been truncated since. */
export class Continuations {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Takes a file as the copy of a generation, which continues there once its own file is gone. */
  take(original: Generation, file: FileFacts): void {
    if (original.detached || isLost(original)) {
      this.#continueIn(original, file);
      return;
    }
    original.dropCopy();
    original.copy = file;
    this.#parts.newGenerations.ignore(file);
  }

  /** Separates a generation from its file, which now holds something else. */
  detach(generation: Generation): void {
    const { logs, now } = this.#parts;
    if (generation.fd !== undefined) closeSync(generation.fd);
    generation.fd = undefined;
    generation.detached = true;
    generation.missingSince = now();
    logs.release(generation);
    const { copy } = generation;
    generation.copy = undefined;
    if (copy) this.#continueIn(generation, { ...copy, size: fstatSync(copy.fd).size });
  }

  #continueIn(generation: Generation, file: FileFacts): void {
    const { logs, newGenerations, log, now } = this.#parts;
    newGenerations.unignore(file);
    const { inode } = generation;
    if (!generation.continueIn(file, now())) {
      closeSync(file.fd);
      return;
    }
    logs.release(generation, inode);
    logs.claim(generation);
    log.info('reading continues in the copy of a truncated file', {
      event: 'copy_found',
      path: file.path,
    });
  }
}

/** Whether the file of a generation is gone, and no descriptor holds it. */
export function isLost({ fd, missingSince }: Generation): boolean {
  return fd === undefined && missingSince !== undefined;
}
