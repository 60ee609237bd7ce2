import {
  appendFileSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  renameSync,
  truncateSync,
  unlinkSync,
} from 'node:fs';
import { join } from 'node:path';

export interface Line {
  readonly text: string;
  /** True if no reader could have seen it: it was gone before the next poll. */
  excused: boolean;
  /** True if it was delivered and saved: it must not arrive again. */
  settled: boolean;
}

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
   * @param first the number of the first line.
   * @param tick called at each write, so that the test's clock advances with that of the file
   * system.
   */
  constructor(directory: string, sameHead: boolean, first: number, tick: () => void) {
    this.path = join(directory, 'logs', 'app.log');
    this.#banner = sameHead ? `${'=== the same first kilobyte '.repeat(40)}\n` : '';
    this.#next = first;
    this.#tick = tick;
    mkdirSync(join(directory, 'logs'));
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
  write(): void {
    if (this.#partial === '') this.#append(`${this.#newLine().text}\n`);
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
    const [now, later] = halves(this.#newLine().text);
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
    if (this.exists) {
      renameSync(this.path, `${this.path}-2026${String(++this.#rotations).padStart(6, '0')}`);
    }
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

  /** Truncates without a copy: no reader can see what was not read so far. */
  truncate(): void {
    if (!this.exists) return;
    this.endLine();
    truncateSync(this.path);
    excuse(this.#inLive);
    this.#inLive = [];
  }

  delete(): void {
    if (!this.exists) return;
    this.endLine();
    unlinkSync(this.path);
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

  #newLine(): Line {
    const text = `line ${String(this.#next++).padStart(9, '0')} ${'x'.repeat(this.#next % 90)}.`;
    const line = { text, excused: false, settled: false };
    if (!this.exists) this.#newFile();
    this.lines.push(line);
    this.#inLive.push(line);
    return line;
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

  #shiftNumbered(): void {
    for (let i = ++this.#rotations; i >= 1; i--) {
      const numbered = `${this.path}.${i}`;
      if (existsSync(numbered)) renameSync(numbered, `${this.path}.${i + 1}`);
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
