import { randomBytes } from 'node:crypto';
import { statSync } from 'node:fs';
import type { Log } from '@sidekit/core';
import { HEAD_LENGTH, readAt } from './bytes.ts';
import { type FileStats, factsOf, fileIdentity } from './candidates.ts';
import { type FileFacts, Generation } from './generation.ts';
import type { Logs, TailedLog } from './logs.ts';
import { hasDate } from './rotated-names.ts';

export interface NewGenerationOptions {
  /** Returns where to start in a file of a log that existed before the very first start. */
  readonly startAt: (log: string) => 'beginning' | 'end';
  /** There is no state of an earlier start. */
  readonly firstStart: boolean;
  /** The names of the outputs. */
  readonly outputs: readonly string[];
  readonly log: Log;
  readonly now: () => number;
  readonly onEvent: (event: 'generation') => void;
}

/** Tolerance for file times, in milliseconds: copies and renames of one instant may differ. */
export const SLACK = 5_000;

/** Starts generations, and remembers the files that start none. */
export class NewGenerations {
  /** True until the first scan ever is over: files found by then existed before. */
  first: boolean;
  readonly #logs: Logs;
  readonly #options: NewGenerationOptions;
  /** Files that are not read: those rotated before the first scan, and compressed ones. */
  readonly #ignored = new Set<string>();

  constructor(logs: Logs, options: NewGenerationOptions) {
    this.#logs = logs;
    this.#options = options;
    this.first = options.firstStart;
  }

  /** Starts a generation of the log in the file that was opened. */
  begin(log: TailedLog, file: FileFacts): Generation {
    const { now, startAt, onEvent, outputs } = this.#options;
    const id = randomBytes(8).toString('hex');
    const generation = new Generation(id, log.path, file, now(), outputs);
    generation.fd = file.fd;
    generation.size = file.size;
    generation.growth.add(file.size);
    if (this.first && startAt(log.path) === 'end') generation.startAtEnd(file);
    generation.head = readAt(file.fd, 0, HEAD_LENGTH);
    this.#logs.claim(generation);
    log.generations.push(generation);
    onEvent('generation');
    this.#options.log.debug('a new generation', {
      event: 'generation',
      path: file.path,
      id: generation.id,
    });
    return generation;
  }

  /** Whether a rotated file is older than the log's known generations, or was restored by someone. */
  isHistory(file: FileStats, log: string): boolean {
    if (this.first && !this.#logs.wasRestored(log)) {
      return this.#options.startAt(log) === 'end';
    }
    let newest = 0;
    for (const { mtime } of this.#logs.byPath.get(log)?.generations ?? [])
      newest = Math.max(newest, mtime);
    return file.mtime < newest - SLACK;
  }

  /** Remembers that this file starts no generation. */
  ignore(file: FileStats): void {
    this.#ignored.add(fileIdentity(file));
  }

  unignore(file: FileStats): void {
    this.#ignored.delete(fileIdentity(file));
  }

  isIgnored(file: FileStats): boolean {
    return this.#ignored.has(fileIdentity(file));
  }
}

/**
 * Whether the writer has left a file with a dated name, by renaming it before the live file was
 * created, or by copying it. A number without a date may be that of another program's live log.
 * @param isKnown whether other files of the log are known: its live file may not exist yet.
 */
export function wasLeftByItsWriter(
  file: FileFacts,
  owner: string,
  now: number,
  isKnown: boolean,
): boolean {
  const live = factsOf(() => statSync(owner, { bigint: true, throwIfNoEntry: false }));
  if (!live) return isKnown && hasDate(file.path) && file.mtime <= now - SLACK;
  if (live.birth === 0n || file.birth === 0n) return false;
  if (file.birth <= live.birth) return file.mtime <= Number(live.birth / 1_000_000n) + SLACK;
  return hasDate(file.path) && file.mtime <= live.mtime && file.mtime <= now - SLACK;
}
