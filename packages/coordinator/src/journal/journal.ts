import { constants } from 'node:fs';
import { lstat, mkdir, open, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { ExpectedError, errorText, type Log, writeFileAtomic } from '@sidekit/core';
import { isRecord } from '@sidekit/core/schema';

/** The largest journal that is read, in bytes: that of a full plan is far below. */
const LIMIT = 4 * 1024 * 1024;

/** The run of a sequence that has not ended. */
export interface RunRecord {
  readonly sequence: string;
  /** The digest of the sequence as planned: another plan must not continue it. */
  readonly digest: string;
  readonly part: 'steps' | 'always';
  /** The index of the step. */
  readonly step: number;
  /** Whether the step has begun: its effect may have happened. */
  readonly begun: boolean;
  /** Why the steps ended early. */
  readonly failure?: string | undefined;
}

/** The result of the last run of a sequence. */
export interface LastRun {
  readonly result: 'succeeded' | 'failed';
  readonly failure?: string | undefined;
  /** RFC 3339. */
  readonly at: string;
}

/** The state that survives a crash: always one complete version of it. */
export interface JournalState {
  readonly version: 1;
  /** Whether the start triggers have fired. */
  readonly started: boolean;
  /** The names of the sequences that wait for their turn, in order. */
  readonly pending: readonly string[];
  /** The last observation of each trigger that compares. */
  readonly observed: Readonly<Record<string, string>>;
  readonly run?: RunRecord | undefined;
  readonly last: Readonly<Record<string, LastRun>>;
}

export interface Journal {
  /** Returns the state of the last save; that of a new Pod if there is none. */
  load(): Promise<JournalState>;
  /** Resolves when the state is durable. */
  save(state: JournalState): Promise<void>;
}

export const EMPTY: JournalState = {
  version: 1,
  started: false,
  pending: [],
  observed: {},
  last: {},
};

/**
 * Keeps the state in one file that is replaced atomically and synced, so that a crash at any
 * instant leaves the state before or after. A file that cannot be read as one is moved aside. Of
 * two coordinators with one directory, the one that started last continues: the other one finds a
 * file that it has not written, and saves nothing more.
 */
export class FileJournal implements Journal {
  readonly #path: string;
  readonly #log: Log;
  /** The file as this process has loaded or saved it; undefined if there was none. */
  #own: string | undefined;

  constructor(directory: string, log: Log) {
    this.#path = join(directory, 'journal.json');
    this.#log = log;
  }

  async load(): Promise<JournalState> {
    let text: string | undefined;
    try {
      await mkdir(join(this.#path, '..'), { recursive: true });
      this.#own = await identityOf(this.#path);
      text = await readRegular(this.#path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return EMPTY;
      throw new ExpectedError(
        `the journal ${this.#path} cannot be read (${errorText(error)}): give a writable directory of a volume with --state-dir`,
      );
    }
    const state = text === undefined ? undefined : parse(text);
    if (state) return state;
    const aside = `${this.#path}.invalid`;
    await rename(this.#path, aside);
    this.#own = undefined;
    this.#log.error('the journal is invalid, and pending steps are unknown', {
      event: 'journal_invalid',
      movedTo: aside,
    });
    return EMPTY;
  }

  /** @throws {ExpectedError} if another program has written the file since, and the system's error. */
  async save(state: JournalState): Promise<void> {
    const found = await identityOf(this.#path);
    if (found !== undefined && found !== this.#own) {
      throw new ExpectedError(
        `another program has written ${this.#path}: give each coordinator a --state-dir of its own, and restart this one`,
      );
    }
    try {
      await writeFileAtomic(this.#path, `${JSON.stringify(state)}\n`, { mode: 0o600 });
    } finally {
      // Also after a failure: the file may have been replaced before it.
      this.#own = await identityOf(this.#path);
    }
  }
}

/** Tells a file from one that replaced it; undefined if there is none. */
async function identityOf(path: string): Promise<string | undefined> {
  try {
    const { ino, mtimeNs } = await lstat(path, { bigint: true });
    return `${ino} ${mtimeNs}`;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/**
 * Reads a regular file; a FIFO that another container put there does not block.
 * @returns undefined if it is larger than a journal.
 */
async function readRegular(path: string): Promise<string | undefined> {
  await using file = await open(
    path,
    constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW,
  );
  const stat = await file.stat();
  if (!stat.isFile()) throw new Error('not a regular file');
  if (stat.size > LIMIT) return undefined;
  const buffer = Buffer.alloc(stat.size);
  const { bytesRead } = await file.read(buffer, 0, stat.size, 0);
  return buffer.toString('utf8', 0, bytesRead);
}

/** The volume may be shared: nothing in the file is trusted. */
function parse(text: string): JournalState | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (!isRecord(value) || value.version !== 1 || typeof value.started !== 'boolean') {
      return undefined;
    }
    const { pending, observed, run, last } = value;
    const good =
      Array.isArray(pending) &&
      pending.every((one) => typeof one === 'string') &&
      isRecord(observed) &&
      Object.values(observed).every((one) => typeof one === 'string') &&
      isRecord(last) &&
      Object.values(last).every(isRecord) &&
      (run === undefined || isRun(run));
    return good ? (value as unknown as JournalState) : undefined;
  } catch {
    return undefined;
  }
}

function isRun(run: unknown): run is RunRecord {
  return (
    isRecord(run) &&
    typeof run.sequence === 'string' &&
    typeof run.digest === 'string' &&
    (run.part === 'steps' || run.part === 'always') &&
    Number.isSafeInteger(run.step) &&
    Number(run.step) >= 0 &&
    typeof run.begun === 'boolean'
  );
}
