import type { Mark } from './cursor.ts';
import type { Generation } from './generation.ts';

/** Marks an incomplete line. */
export const LineFlag = {
  none: 0,
  /** A part of a line: flushed before its end was written, a piece of a long line, or the rest. */
  partial: 1,
  /** The rest of the line was dropped. */
  truncated: 2,
} as const;
export type LineFlag = (typeof LineFlag)[keyof typeof LineFlag];

/** Receives the lines of a chunk, without their ends. */
export interface LineSink {
  /** True if no more lines may be passed on before others were delivered. */
  readonly isFull: boolean;
  /**
   * Starts a chunk: the lines that follow are in `buffer` between `start` and `end`. They count in
   * metrics unless another output has read them already.
   */
  begin(generation: Generation, buffer: Buffer, start: number, end: number, counted: boolean): void;
  line(start: number, end: number, offset: number, flag: LineFlag): void;
}

export interface SplitterOptions {
  /** The longest line, in bytes. */
  readonly maxLine: number;
  readonly longLines: 'split' | 'cut';
  readonly onLongLine: () => void;
}

export interface Taken {
  /** Consumed bytes. */
  bytes: number;
  lines: number;
  /** True if they end within a line. */
  inLine: boolean;
  /** True if there was no room for the rest. */
  stopped: boolean;
}

const LF = 0x0a;
const CR = 0x0d;

/** Splits chunks into lines. */
export class LineSplitter {
  readonly #options: SplitterOptions;
  readonly #sink: LineSink;
  readonly #taken: Taken = { bytes: 0, lines: 0, inLine: false, stopped: false };

  constructor(options: SplitterOptions, sink: LineSink) {
    this.#options = options;
    this.#sink = sink;
  }

  /**
   * Passes on the lines of `buffer[start, end)`, whose first byte is at `read` of the file, while
   * there is room.
   * @returns how much was consumed: the start of a line without an end is left for the next call.
   */
  split(
    generation: Generation,
    read: Mark,
    buffer: Buffer,
    start: number,
    end: number,
    counted: boolean,
  ): Taken {
    const { maxLine } = this.#options;
    const sink = this.#sink;
    const taken = this.#taken;
    taken.lines = 0;
    taken.stopped = false;
    const { offset } = read;
    let { inLine } = read;
    let at = start;
    if (offset === 0 && !inLine) at += byteOrderMark(buffer, start, end);
    const last = buffer.lastIndexOf(LF, end - 1);
    // Bytes after the last line feed are left for the next call, unless they are too many.
    const left = end - (last < at ? at : last + 1);
    sink.begin(generation, buffer, at, last < at || left >= maxLine ? end : last + 1, counted);
    while (at < end) {
      // A writer without O_APPEND leaves a hole before its offset after a truncation.
      if (!inLine && buffer[at] === 0) {
        while (at < end && buffer[at] === 0) at++;
        continue;
      }
      const feed = at <= last ? buffer.indexOf(LF, at) : -1;
      const stop = feed === -1 ? end : feed;
      if (stop - at > maxLine || (feed === -1 && stop - at === maxLine)) {
        at = this.#piece(buffer, at, offset + at - start, inLine);
        if (!inLine) this.#options.onLongLine();
        inLine = true;
        if (!sink.isFull) continue;
        taken.stopped = true;
        break;
      }
      if (feed === -1) break;
      const skip = inLine && (this.#options.longLines === 'cut' || feed === at);
      if (!skip) {
        const tail = feed > at && buffer[feed - 1] === CR ? feed - 1 : feed;
        sink.line(at, tail, offset + at - start, inLine ? LineFlag.partial : LineFlag.none);
      }
      taken.lines++;
      inLine = false;
      at = feed + 1;
      if (sink.isFull) {
        taken.stopped = at < end;
        break;
      }
    }
    taken.bytes = at - start;
    taken.inLine = inLine;
    return taken;
  }

  /** Passes on a piece of a line that is too long; returns the start of the next piece. */
  #piece(buffer: Buffer, at: number, offset: number, inLine: boolean): number {
    let stop = at + this.#options.maxLine;
    // Do not split a character: its continuation bytes are 10xxxxxx.
    for (let back = 0; back < 3 && (buffer[stop]! & 0xc0) === 0x80; back++) stop--;
    if (this.#options.longLines === 'split') this.#sink.line(at, stop, offset, LineFlag.partial);
    else if (!inLine) this.#sink.line(at, stop, offset, LineFlag.truncated);
    return stop;
  }
}

function byteOrderMark(buffer: Buffer, start: number, end: number): number {
  const has = end - start >= 3 && buffer.readUIntBE(start, 3) === 0xefbbbf;
  return has ? 3 : 0;
}
