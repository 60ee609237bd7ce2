import { readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { errorText, type Log, TEMPORARY_PREFIX, writeFileAtomic } from '@sidekit/core';
import { makeDirectory } from './make-directory.ts';

/** A saved offset, with a hash of the bytes before it. */
export interface SavedMark {
  readonly offset: number;
  readonly tail: { readonly length: number; readonly hash: string };
  readonly inLine: boolean;
}

/** The saved state of a generation; its mark is that of the slowest output. */
export interface SavedGeneration extends SavedMark {
  readonly id: string;
  readonly log: string;
  readonly path: string;
  /** Device and inode, `dev:ino`. */
  readonly inode: string;
  /** The birth time in nanoseconds; "0" where the file system has none. */
  readonly birth: string;
  readonly head: { readonly length: number; readonly hash: string };
  readonly mtime: number;
  /** The marks of the outputs that have come further, by name. */
  readonly outputs?: Readonly<Record<string, SavedMark>>;
  /** Its file is gone, and everything was delivered. */
  readonly finished?: boolean;
  /** It was rotated, and delivered to its end a rotate wait later: nothing is lost with its file. */
  readonly ended?: boolean;
}

const VERSION = 1;
/** A larger state file, in bytes, was not written by this program. */
const LARGEST = 256 * 1024 * 1024;

/**
 * The state on disk: one JSON file with one generation per line, replaced atomically. A file that
 * cannot be read is set aside, and everything is read again: twice is better than never.
 */
export class StateFile {
  readonly path: string;
  /** True if there was no state file, damaged ones included. */
  isNew = false;
  readonly #log: Log;
  #last = '';

  constructor(directory: string, log: Log) {
    this.path = join(directory, 'state.json');
    this.#log = log;
  }

  load(): readonly SavedGeneration[] {
    let text: string;
    try {
      if (statSync(this.path).size > LARGEST) throw new Error('it is larger than 256MiB');
      text = readFileSync(this.path, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
        this.isNew = true;
        return [];
      }
      this.#setAside(error);
      return [];
    }
    try {
      const state: unknown = JSON.parse(text);
      const saved = validated(state);
      this.#last = text;
      return saved;
    } catch (error) {
      this.#setAside(error);
      return [];
    }
  }

  /**
   * Replaces the file if something changed.
   * @param lines one generation each, as JSON.
   * @returns whether it was written.
   * @throws the system call's error, such as ENOSPC or EROFS.
   */
  async save(lines: readonly string[]): Promise<boolean> {
    const text = `{"version":${VERSION},"generations":[\n${lines.join(',\n')}\n]}\n`;
    if (text === this.#last) return false;
    makeDirectory(dirname(this.path));
    await writeFileAtomic(this.path, text, { mode: 0o600 });
    this.#last = text;
    return true;
  }

  #setAside(error: unknown) {
    const aside = `${this.path}.damaged-${Date.now()}`;
    try {
      renameSync(this.path, aside);
      this.#log.error('the state file was damaged and set aside: all files are read again', {
        event: 'state_damaged',
        path: this.path,
        aside,
        error: errorText(error),
      });
    } catch (failure) {
      this.#log.error('the state file cannot be read: all files are read again', {
        event: 'state_unreadable',
        path: this.path,
        error: errorText(failure),
      });
    }
  }
}

function validated(state: unknown): readonly SavedGeneration[] {
  const { version, generations } = (state ?? {}) as { version?: unknown; generations?: unknown };
  if (version !== VERSION) throw new Error(`its version is ${String(version)}, not ${VERSION}`);
  if (!Array.isArray(generations)) throw new Error('it has no list of generations');
  for (const one of generations) {
    if (!isSaved(one)) throw new Error(`not a generation: ${JSON.stringify(one).slice(0, 200)}`);
  }
  return generations;
}

function isSaved(value: unknown): value is SavedGeneration {
  const one = value as SavedGeneration | null;
  return (
    typeof one?.id === 'string' &&
    typeof one.log === 'string' &&
    typeof one.path === 'string' &&
    /^\d+:\d+$/.test(one.inode) &&
    /^\d+$/.test(one.birth) &&
    isPrint(one.head) &&
    isMark(one) &&
    typeof one.mtime === 'number' &&
    (one.outputs === undefined ||
      (typeof one.outputs === 'object' &&
        one.outputs !== null &&
        Object.values(one.outputs).every(isMark)))
  );
}

function isMark(value: unknown): boolean {
  const mark = value as SavedMark | null;
  return isPrint(mark?.tail) && isCount(mark?.offset) && typeof mark?.inLine === 'boolean';
}

function isPrint(value: unknown): boolean {
  const print = value as SavedGeneration['head'] | undefined;
  return isCount(print?.length) && typeof print?.hash === 'string';
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/** Removes the temporary files that killed processes left while they replaced the state. */
export function removeTemporary(directory: string): void {
  try {
    for (const name of readdirSync(directory)) {
      if (name.startsWith(TEMPORARY_PREFIX)) rmSync(join(directory, name), { force: true });
    }
  } catch {
    // There is no directory yet, or it cannot be written: the next write of the state says so.
  }
}
