import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs';

/** A line of a container's log, or a part of one. */
export interface LogPart {
  readonly stdout: boolean;
  /** RFC 3339 with nanoseconds; empty if it was not asked for. */
  readonly time: string;
  readonly text: Buffer;
  /** Whether it is the end of its line. */
  readonly last: boolean;
}

/** How much is read at once, in bytes. An entry is shorter: the monitor reads 8 KiB at a time. */
const CHUNK = 256 * 1024;
/** How many files a reader keeps, of 10 MiB each: a replaced one takes its space until it is closed. */
const MOST = 8;
const NEWLINE = 0x0a;
const SPACE = 0x20;

/**
 * Reads the log file that Podman's monitor, conmon, writes for a container (log driver `k8s-file`):
 * lines `TIME stdout|stderr P|F TEXT`, where P means that the line continues. A full file is
 * replaced by a new one: each is opened once it is noticed, and read to its end in its turn.
 */
export class MonitorLog implements Disposable {
  readonly #path: string;
  /** The first one is being read. */
  readonly #files: number[] = [];
  #rest: Buffer = Buffer.alloc(0);

  constructor(path: string) {
    this.#path = path;
  }

  /** Returns the parts that were added since the last call, at most some 256 KiB; none at the end. */
  read(): LogPart[] {
    for (;;) {
      this.notice();
      const [file, next] = this.#files;
      if (file === undefined) return [];
      const parts = this.#readSome(file);
      if (parts) return parts;
      if (next === undefined) return [];
      // Since before it was read to its end, the writer has had another one.
      this.#files.shift();
      closeSync(file);
      this.#rest = Buffer.alloc(0);
    }
  }

  /** Opens the file that is written now; one that is replaced before that happens is lost. */
  notice(): void {
    const last = this.#files.at(-1);
    if (this.#files.length === MOST || (last !== undefined && !this.#replaced(last))) return;
    const file = open(this.#path);
    if (file !== undefined) this.#files.push(file);
  }

  /** Returns undefined at the end of the file. */
  #readSome(file: number): LogPart[] | undefined {
    const chunk = Buffer.allocUnsafe(CHUNK);
    for (;;) {
      const length = readSync(file, chunk);
      if (length === 0) return undefined;
      const content = Buffer.concat([this.#rest, chunk.subarray(0, length)]);
      const end = content.lastIndexOf(NEWLINE) + 1;
      this.#rest = content.subarray(end);
      const parts = partsOf(content.subarray(0, end));
      if (parts.length > 0) return parts;
    }
  }

  #replaced(file: number): boolean {
    const now = statSync(this.#path, { throwIfNoEntry: false });
    return now !== undefined && now.ino !== fstatSync(file).ino;
  }

  [Symbol.dispose](): void {
    for (const file of this.#files.splice(0)) closeSync(file);
  }
}

/** A container that has not begun has no log; one that is removed while it is opened has none either. */
function open(path: string): number | undefined {
  try {
    return openSync(path, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return undefined;
  }
}

function partsOf(content: Buffer): LogPart[] {
  const parts: LogPart[] = [];
  for (let start = 0; start < content.length; ) {
    const end = content.indexOf(NEWLINE, start);
    const part = partOf(content.subarray(start, end));
    if (part) parts.push(part);
    start = end + 1;
  }
  return parts;
}

/** Returns undefined for what no monitor writes. */
function partOf(line: Buffer): LogPart | undefined {
  const stream = line.indexOf(SPACE) + 1;
  const tag = line.indexOf(SPACE, stream) + 1;
  const text = line.indexOf(SPACE, tag) + 1;
  if (stream === 0 || tag === 0 || text === 0) return undefined;
  const time = line.toString('latin1', 0, stream - 1);
  const stdout = line.toString('latin1', stream, tag - 1) === 'stdout';
  return {
    stdout,
    time,
    text: line.subarray(text),
    last: line.toString('latin1', tag, text - 1) === 'F',
  };
}
