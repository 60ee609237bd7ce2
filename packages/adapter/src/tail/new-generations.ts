import { randomBytes } from 'node:crypto';
import { statSync } from 'node:fs';
import type { Log } from '@sidekit/core';
import { HEAD_LENGTH, readAt } from './bytes.ts';
import { type FileStats, factsOf, fileIdentity } from './candidates.ts';
import { type FileFacts, Generation } from './generation.ts';
import type { Logs, TailedLog } from './logs.ts';

export interface NewGenerationOptions {
  readonly startAt: 'beginning' | 'end';
  readonly log: Log;
  readonly now: () => number;
  readonly onEvent: (event: 'generation') => void;
}

/** Copies and renames of one instant may have times that differ by the clock's tick and more. */
export const SLACK = 5_000;

/** Begins generations, and knows which files begin none. */
export class NewGenerations {
  /** Until the first look is over, what is there was there before this program. */
  first = true;
  readonly #logs: Logs;
  readonly #options: NewGenerationOptions;
  /** Files that are not ours to read: history from before the first look, compressed ones. */
  readonly #ignored = new Set<string>();

  constructor(logs: Logs, options: NewGenerationOptions) {
    this.#logs = logs;
    this.#options = options;
  }

  /** A generation of the log, in the file that was opened. */
  begin(log: TailedLog, file: FileFacts): Generation {
    const { now, startAt, onEvent } = this.#options;
    const generation = new Generation(randomBytes(8).toString('hex'), log.path, file, now());
    generation.fd = file.fd;
    generation.size = file.size;
    if (startAt === 'end' && this.#isNew(log)) generation.startAtEnd(file);
    generation.head = readAt(file.fd, 0, HEAD_LENGTH);
    this.#logs.claim(generation);
    log.generations.push(generation);
    onEvent('generation');
    this.#options.log.debug('a new generation', { path: file.path, id: generation.id });
    return generation;
  }

  /** Rotated files from before this log was followed, or put back by someone. */
  isHistory(file: FileFacts, log: TailedLog): boolean {
    if (this.#isNew(log)) return this.#options.startAt === 'end';
    let newest = 0;
    for (const { mtime } of log.generations) newest = Math.max(newest, mtime);
    return file.mtime < newest - SLACK;
  }

  /** From now on this life of the file begins nothing. */
  ignore(file: FileStats): void {
    this.#ignored.add(fileIdentity(file));
  }

  unignore(file: FileStats): void {
    this.#ignored.delete(fileIdentity(file));
  }

  isIgnored(file: FileStats): boolean {
    return this.#ignored.has(fileIdentity(file));
  }

  /** Whether the log was never seen before this program's first look. */
  #isNew(log: TailedLog): boolean {
    return this.first && !this.#logs.wasRestored(log.path);
  }
}

/** A dated name is a rotated file only if its writer had left it when the live one was born. */
export function wasLeftByItsWriter(file: FileFacts, owner: string): boolean {
  const live = factsOf(() => statSync(owner, { bigint: true, throwIfNoEntry: false }));
  if (!live || live.birth === 0n || file.birth === 0n || file.birth > live.birth) return false;
  return file.mtime <= Number(live.birth / 1_000_000n) + SLACK;
}
