import {
  appendFileSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { gzipSync } from 'node:zlib';

export interface Line {
  readonly text: string;
  /** Whether a receiver may refuse it on its own. */
  readonly refusable: boolean;
  /** True if no reader could have seen it: it was gone before the next poll. */
  excused: boolean;
  /** True if it was delivered and saved: it must not arrive again. */
  settled: boolean;
}

/** The kinds of records: some are nested deeply, larger than a request may be, or refused. */
export type LineKind = 'plain' | 'deep' | 'huge' | 'poison';

export interface WrittenLogOptions {
  /** Whether all files begin with the same kilobyte. */
  readonly sameHead: boolean;
  /** Whether lines are JSON; if not, they are text. */
  readonly json: boolean;
  /** The number of the first line. */
  readonly first: number;
}

/** A refused record says so. */
export const POISON = 'poison';
/** The size of a huge record, in bytes. */
const HUGE = 3000;

/**
 * A log as its writer knows it: its files and every line that was ever written to it, with the
 * state of each.
 */
export class WrittenLog {
  readonly lines: Line[] = [];
  /** The live path. */
  readonly path: string;
  /** Whether the reader has the live file open. */
  opened = false;
  /** Whether the reader knows the log, so that it reads compressed files of it. */
  known = false;
  /**
   * Whether a file was deleted or truncated that begins as others do: a copy of another file may be
   * taken for its rest, and continue its key.
   */
  isAmbiguous = false;
  readonly #options: WrittenLogOptions;
  readonly #directory: string;
  readonly #banner: string;
  readonly #tick: () => void;
  /** Lines that only the live file holds. */
  #inLive: Line[] = [];
  /** Lines of deleted files that only the reader's descriptors hold. */
  #inDeleted: Line[] = [];
  /** The rest of the last line that is not written yet. */
  #partial = '';
  #rotations = 0;
  #next: number;

  /**
   * @param tick called at each write, so that the test's clock advances with that of the file
   * system.
   */
  constructor(directory: string, options: WrittenLogOptions, tick: () => void) {
    this.#options = options;
    this.#directory = join(directory, 'logs');
    this.path = join(this.#directory, 'app.log');
    this.#banner = options.sameHead ? `${'=== the same first kilobyte '.repeat(40)}\n` : '';
    this.#next = options.first;
    this.#tick = tick;
    mkdirSync(join(this.#directory, 'old'), { recursive: true });
  }

  get exists(): boolean {
    return existsSync(this.path);
  }

  get inLive(): readonly Line[] {
    return this.#inLive;
  }

  /** Returns the lines that must have arrived: those that are complete and not excused. */
  due(): Line[] {
    const pending = this.#partial === '' ? undefined : this.lines.at(-1);
    return this.lines.filter((line) => line !== pending && !line.excused);
  }

  /** Writes the next line, or the rest of the one that was started. */
  write(kind: LineKind = 'plain'): void {
    if (this.#partial === '') this.#append(`${this.#newLine(kind)}\n`);
    else this.endLine();
  }

  /** Writes half of a line, or of the rest of the one that was started. */
  part(): void {
    if (this.#partial !== '') {
      const [next, rest] = halves(this.#partial);
      this.#append(next);
      this.#partial = rest === '' ? '\n' : rest;
      return;
    }
    const [now, later] = halves(this.#newLine('plain'));
    this.#append(now);
    this.#partial = `${later}\n`;
  }

  endLine(): void {
    if (this.#partial !== '') this.#append(this.#partial);
    this.#partial = '';
  }

  /** Rotates to a dated name. */
  rename(): void {
    this.endLine();
    if (this.exists) renameSync(this.path, `${this.path}-${this.#date()}`);
    this.#newFile();
  }

  /** Rotates to `.1`, what was there to `.2`, and so on. */
  shift(): void {
    this.endLine();
    this.#shiftNumbered();
    if (this.exists) renameSync(this.path, `${this.path}.1`);
    this.#newFile();
  }

  copytruncate(): void {
    if (!this.exists) return;
    this.endLine();
    this.#shiftNumbered();
    copyFileSync(this.path, `${this.path}.1`);
    truncateSync(this.path);
    this.#inLive = [];
  }

  /** Copies to a dated name before the extension, as with logrotate's `extension`, and truncates. */
  datedCopy(): void {
    if (!this.exists || !this.known) return;
    this.endLine();
    copyFileSync(this.path, join(this.#directory, `app-${this.#date()}.log`));
    truncateSync(this.path);
    this.#inLive = [];
  }

  /** Compresses a rotated file, which keeps the time of its last change. */
  compress(): void {
    const name = this.#rotated().find((one) => !one.endsWith('.gz'));
    if (name === undefined || !this.known) return;
    const path = join(this.#directory, name);
    const { atime, mtime } = statSync(path);
    writeFileSync(`${path}.gz`, gzipSync(readFileSync(path)));
    utimesSync(`${path}.gz`, atime, mtime);
    unlinkSync(path);
  }

  /** Moves a rotated file to another directory. */
  move(): void {
    const name = this.#rotated()[0];
    if (name === undefined || !this.known) return;
    const end = name.endsWith('.gz') ? '.gz' : '';
    const target = join(this.#directory, 'old', `app.log-${this.#date()}${end}`);
    renameSync(join(this.#directory, name), target);
  }

  /** Truncates without a copy: no reader can see what was not read so far. */
  truncate(): void {
    if (!this.exists) return;
    this.endLine();
    truncateSync(this.path);
    this.isAmbiguous ||= this.#options.sameHead;
    excuse(this.#inLive);
    this.#inLive = [];
  }

  delete(): void {
    if (!this.exists) return;
    this.endLine();
    unlinkSync(this.path);
    this.isAmbiguous ||= this.#options.sameHead;
    if (this.opened) this.#inDeleted.push(...this.#inLive);
    else excuse(this.#inLive);
    this.#newFile();
  }

  /** Notes that the reader has delivered what only its descriptors held. */
  settled(): void {
    this.#inDeleted = [];
  }

  /** Notes that the reader died, and with it what only its descriptors held. */
  readerDied(): void {
    excuse(this.#inDeleted);
    this.#inDeleted = [];
    this.opened = false;
  }

  /** Returns the next line as it is written, without its end. */
  #newLine(kind: LineKind): string {
    const { json } = this.#options;
    const number = `line ${String(this.#next++).padStart(9, '0')}`;
    const word = kind === 'poison' ? ` ${POISON}` : '';
    const length = kind === 'huge' && !json ? HUGE : this.#next % 90;
    const text = `${number}${word} ${'x'.repeat(length)}.`;
    const line = { text, refusable: kind !== 'plain', excused: false, settled: false };
    if (!this.exists) this.#newFile();
    this.lines.push(line);
    this.#inLive.push(line);
    if (!json) return text;
    const deep = kind === 'deep' ? `,"deep":${'{"a":['.repeat(700)}${']}'.repeat(700)}` : '';
    const huge = kind === 'huge' ? `,"huge":"${'\\u0001'.repeat(HUGE / 6)}"` : '';
    return `{"message":"${text}"${deep}${huge}}`;
  }

  #append(text: string): void {
    const fresh = !this.exists;
    appendFileSync(this.path, fresh ? this.#banner + text : text);
    this.#tick();
  }

  #newFile(): void {
    this.#inLive = [];
    this.opened = false;
  }

  #date(): string {
    return `20261126-${String(++this.#rotations).padStart(6, '0')}`;
  }

  /** Returns the names of the rotated files in the directory of the log. */
  #rotated(): string[] {
    return readdirSync(this.#directory)
      .filter((name) => name !== basename(this.path) && name !== 'old')
      .sort();
  }

  #shiftNumbered(): void {
    for (let i = ++this.#rotations; i >= 1; i--) {
      for (const end of ['', '.gz']) {
        const numbered = `${this.path}.${i}${end}`;
        if (existsSync(numbered)) renameSync(numbered, `${this.path}.${i + 1}${end}`);
      }
    }
  }
}

function excuse(lines: readonly Line[]): void {
  for (const line of lines) line.excused ||= !line.settled;
}

function halves(text: string): [string, string] {
  const middle = Math.ceil(text.length / 2);
  return [text.slice(0, middle), text.slice(middle)];
}
