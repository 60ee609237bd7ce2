import { once } from 'node:events';
import { readLog } from '../engine/container-log.ts';
import type { Engine } from '../engine/engine.ts';
import type { LogPart } from '../engine/monitor-log.ts';
import type { LoggedRun } from './logged-runs.ts';

export interface LogOptions {
  readonly timestamps: boolean;
  /** The number of last lines of each log. */
  readonly tail: number | undefined;
  readonly since: Date | undefined;
}

interface Line {
  readonly stdout: boolean;
  readonly time: string;
  readonly text: Buffer;
}

/** A longer line is printed as several, if each has something in front, in bytes. */
const MAX_LINE = 1024 * 1024;
const NEWLINE = Buffer.from('\n');

/** Prints logs of containers, each stream to its own, byte by byte as the containers wrote them. */
export class LogPrinter {
  readonly #engine: Engine;
  readonly #before: (container: string) => string;
  readonly #options: LogOptions;

  /** @param before returns what stands in front of each line of a container; may be empty. */
  constructor(engine: Engine, before: (container: string) => string, options: LogOptions) {
    this.#engine = engine;
    this.#before = before;
    this.#options = options;
  }

  /** Prints one log as it comes, until its container no longer runs. */
  async print({ name, id }: LoggedRun, running?: () => boolean | Promise<boolean>): Promise<void> {
    const request = { ...this.#options, id, running };
    if (this.#before(name) === '' && !this.#options.timestamps) {
      return readLog(this.#engine, request, (parts) => write(parts, rawBytes));
    }
    const lines = new WholeLines();
    const shown = (line: Line) => this.#shown(name, line);
    await readLog(this.#engine, request, (parts) => write(lines.of(parts), shown));
    await write(lines.rest(), shown);
  }

  /** Prints several logs in the order of time. */
  async printMerged(runs: readonly LoggedRun[]): Promise<void> {
    const all = await Promise.all(runs.map((run) => this.#lines(run)));
    const sorted = all.flat().toSorted((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0));
    await write(sorted, (line) => this.#shown(line.name, line));
  }

  async #lines({ name, id }: LoggedRun): Promise<(Line & { readonly name: string })[]> {
    const lines = new WholeLines();
    const found: Line[] = [];
    await readLog(this.#engine, { ...this.#options, id, timestamps: true }, (parts) => {
      for (const line of lines.of(parts)) found.push(line);
    });
    return [...found, ...lines.rest()].map((line) => ({ ...line, name }));
  }

  #shown(name: string, { time, text }: Line): Buffer[] {
    const before = `${this.#before(name)}${this.#options.timestamps ? `${time} ` : ''}`;
    return [Buffer.from(before), text, NEWLINE];
  }
}

function rawBytes({ text, last }: LogPart): Buffer[] {
  return last ? [text, NEWLINE] : [text];
}

/** Puts the parts of lines together; the streams of a container write theirs independently. */
class WholeLines {
  readonly #begun = { stdout: new BegunLine(true), stderr: new BegunLine(false) };

  of(parts: readonly LogPart[]): Line[] {
    return parts.flatMap((part) => {
      const line = this.#begun[part.stdout ? 'stdout' : 'stderr'];
      line.add(part);
      return part.last || line.length > MAX_LINE ? line.take() : [];
    });
  }

  /** Lines without an end. */
  rest(): Line[] {
    return Object.values(this.#begun).flatMap((line) => line.take());
  }
}

class BegunLine {
  readonly #stdout: boolean;
  #parts: LogPart[] = [];
  length = 0;

  constructor(stdout: boolean) {
    this.#stdout = stdout;
  }

  add(part: LogPart): void {
    this.#parts.push(part);
    this.length += part.text.length;
  }

  take(): Line[] {
    const [first] = this.#parts;
    if (!first) return [];
    const texts = this.#parts.map(({ text }) => text);
    const text = texts.length === 1 ? first.text : Buffer.concat(texts);
    this.#parts = [];
    this.length = 0;
    return [{ stdout: this.#stdout, time: first.time, text }];
  }
}

/** Writes to both outputs in the order of the pieces, and waits for a slow reader. */
async function write<Piece extends { readonly stdout: boolean }>(
  pieces: readonly Piece[],
  bytesOf: (piece: Piece) => readonly Buffer[],
): Promise<void> {
  for (let start = 0; start < pieces.length; ) {
    const stdout = pieces[start]?.stdout;
    let end = start + 1;
    while (pieces[end]?.stdout === stdout) end++;
    const output = stdout ? process.stdout : process.stderr;
    const bytes = Buffer.concat(pieces.slice(start, end).flatMap(bytesOf));
    if (!output.write(bytes)) await once(output, 'drain');
    start = end;
  }
}
