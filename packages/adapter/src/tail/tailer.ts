import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Log, PollingWatch, pause } from '@sidekit/core';
import { readInto, TAIL_LENGTH } from './bytes.ts';
import type { Catalogue } from './catalogue.ts';
import type { Cursor, Mark } from './cursor.ts';
import { dropOverLimits } from './deleted-files.ts';
import { FileChecks } from './file-checks.ts';
import type { Generation } from './generation.ts';
import type { LineConsumer } from './line-consumer.ts';
import type { TailedLog } from './logs.ts';

export interface TailerOptions {
  readonly pollInterval: number;
  readonly rotateWait: number;
  readonly partialFlush: number;
  readonly heldBytes: number;
  readonly heldAge: number;
  readonly chunk: number;
  readonly log: Log;
  readonly now: () => number;
  /** Milliseconds since the epoch, as the times of files are. */
  readonly wall: () => number;
  /** Saves new generations before their first record is delivered. */
  readonly onNewGeneration: () => Promise<void>;
  /** Called when a rotated file was delivered to its end. */
  readonly onEnded: () => void;
  readonly onRead: (bytes: number, lines: number) => void;
  /** Called after every scan. */
  readonly onScanned: () => void;
  readonly onDrop: (cause: 'held-bytes' | 'held-age', bytes: number) => void;
  /** Called after each poll, with the files that could not be read and why. */
  readonly onPoll: (failures: ReadonlyMap<string, unknown>) => void;
}

/** The longest time without yielding to other work, in milliseconds. */
const TURN = 8;
/** A line that was cut by a block waits this many times longer for its end. */
const BLOCK_PATIENCE = 600;
/** Hints closer together than this, in milliseconds, cause one poll. */
const LEAST_PAUSE = 20;

/**
 * Reads what was appended to the files of the catalogue: one chunk from each log in turn, so that
 * a busy file does not starve the others, and the generations of a log oldest first.
 */
export class Tailer {
  readonly #catalogue: Catalogue;
  readonly #checks: FileChecks;
  /** One for each output, in the order of the generations' cursors. */
  readonly #consumers: readonly LineConsumer[];
  readonly #options: TailerOptions;
  readonly #buffer: Buffer;
  readonly #directories: string[] = [];
  #watch: PollingWatch | undefined;
  #lastPass = 0;
  #lastScan = 0;
  #resuming = false;
  #generations = -1;
  #abandoned = false;
  readonly #stopping = new AbortController();

  constructor(catalogue: Catalogue, consumers: readonly LineConsumer[], options: TailerOptions) {
    this.#catalogue = catalogue;
    this.#checks = new FileChecks(catalogue, options);
    this.#consumers = consumers;
    this.#options = options;
    this.#buffer = Buffer.allocUnsafeSlow(options.chunk + TAIL_LENGTH);
  }

  /** Follows the files until `stop`. */
  start(): void {
    const interval = this.#options.pollInterval;
    this.#watch = new PollingWatch({
      directories: this.#directories,
      interval,
      log: this.#options.log,
      poll: async () => {
        const early = LEAST_PAUSE - (this.#options.now() - this.#lastPass);
        if (early > 0) await pause(early, this.#stopping.signal);
        // If the only change is new room, the last scan is still valid.
        const scan = !this.#resuming || this.#options.now() - this.#lastScan >= interval;
        this.#resuming = false;
        await this.pass(false, scan);
        this.#lastPass = this.#options.now();
        const known = new Set(this.#directories);
        for (const directory of this.#catalogue.directories) {
          if (!known.has(directory)) this.#directories.push(directory);
        }
      },
    });
  }

  /** Continues reading after room was made. */
  resume(): void {
    this.#resuming = true;
    void this.#watch?.wake();
  }

  /** Stops following. `pass(true)` then reads the rest. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#watch?.close();
  }

  /** Stops immediately, as a crash does. */
  async abandon(): Promise<void> {
    this.#abandoned = true;
    await this.stop();
  }

  /**
   * Scans all files and reads what is new, as far as there is room.
   * @param final passes on partial lines and unfinished events too.
   * @param scan false reads only what the last scan found.
   * @returns whether more is left to read.
   */
  async pass(final = false, scan = true): Promise<boolean> {
    const { now, pollInterval } = this.#options;
    let turnEnds = now() + TURN;
    if (scan) await this.#scan(final);
    const failures = new Map<string, unknown>();
    for (let progress = true; progress; ) {
      progress = false;
      for (const log of [...this.#catalogue.logs.values()]) {
        for (let i = 0; i < this.#consumers.length && !this.#abandoned; i++) {
          // The rest of a compressed file comes before what was written after it.
          if (failures.has(log.path) || this.#catalogue.isBusy(log.path)) break;
          try {
            progress = this.#advance(log, i) || progress;
          } catch (error) {
            // A file that cannot be read must not stop the others.
            failures.set(log.path, error);
          }
        }
        if (now() < turnEnds) continue;
        await nextTurn();
        turnEnds = now() + TURN;
      }
      if (progress && now() - this.#lastScan >= pollInterval) await this.#scan();
    }
    if (this.#abandoned) return false;
    if (this.#catalogue.isBusy()) await nextTurn();
    for (const log of [...this.#catalogue.logs.values()]) this.#settle(log, final);
    for (const consumer of this.#consumers) consumer.flush();
    this.#options.onPoll(failures);
    for (const generation of this.#catalogue.generations()) {
      if (generation.cursors.some((cursor) => hasLines(generation, cursor))) return true;
    }
    return this.#catalogue.isBusy();
  }

  /** Reads a chunk of a log for one output, if it has room; returns whether that made progress. */
  #advance({ generations }: TailedLog, i: number): boolean {
    const consumer = this.#consumers[i]!;
    if (!consumer.hasRoom()) return false;
    const index = generations.findIndex((one) => hasLines(one, one.cursors[i]!));
    if (index === -1) return false;
    const generation = generations[index]!;
    const cursor = generation.cursors[i]!;
    // Events that are waiting for more lines come before those of a newer file, or go on in it.
    for (const earlier of generations.slice(0, index)) {
      const { read } = earlier.cursors[i]!;
      if (earlier.live) continue;
      if (cursor.read.offset === 0) consumer.handOver(earlier, read, generation);
      else consumer.settle(earlier, read, 0, true);
    }
    return this.#step(generation, consumer, cursor);
  }

  async #scan(final = false): Promise<void> {
    // First: once a file has another name, only its truncation says that a copy may hold the rest.
    this.#checks.run(final);
    this.#catalogue.discover();
    let count = 0;
    for (const _ of this.#catalogue.generations()) count++;
    dropOverLimits(this.#catalogue.generations(), this.#options, (generation, cause) =>
      this.#drop(generation, cause),
    );
    if (count !== this.#generations) {
      this.#generations = count;
      await this.#options.onNewGeneration();
    }
    this.#lastScan = this.#options.now();
    this.#options.onScanned();
  }

  /** Reads one chunk and returns whether that made progress. */
  #step(generation: Generation, consumer: LineConsumer, cursor: Cursor): boolean {
    const { fd, read: furthest } = generation;
    const { read } = cursor;
    if (fd === undefined) return false;
    const buffer = this.#buffer;
    const overlap = read.tail.length;
    const unread = generation.unreadBy(cursor);
    // Lines that another output has read already are not counted again.
    const behind = furthest.offset - read.offset;
    const known = behind > 0 && !furthest.inLine ? behind : unread;
    const wanted = Math.min(cursor.chunk, this.#options.chunk, unread, known);
    const end = readInto(fd, buffer, 0, overlap + wanted, read.offset - overlap);
    // The file may have been truncated and written again since the scan.
    if (end < overlap || !buffer.subarray(0, overlap).equals(read.tail)) {
      this.#catalogue.truncated(generation);
      return true;
    }
    const counted = behind === 0;
    const taken = consumer.splitter.split(generation, read, buffer, overlap, end, counted);
    if (counted) this.#options.onRead(taken.bytes, taken.lines);
    const rest = end - overlap - taken.bytes;
    const short = end - overlap < wanted;
    cursor.used(taken.bytes, wanted);
    const atEnd = short || (wanted === unread && !taken.stopped);
    cursor.partial = atEnd ? Buffer.from(buffer.subarray(end - rest, end)) : Buffer.alloc(0);
    if (taken.bytes === 0) return wanted < unread && !short;
    const stop = overlap + taken.bytes;
    const offset = read.offset + taken.bytes;
    const tail = Buffer.from(buffer.subarray(Math.max(0, stop - TAIL_LENGTH), stop));
    this.#moveTo(generation, consumer, cursor, { offset, tail, inLine: taken.inLine });
    return true;
  }

  /** Handles idle files: flushes partial lines and events, and closes finished files. */
  #settle(log: TailedLog, final: boolean): void {
    const { now, wall, partialFlush, rotateWait } = this.#options;
    const at = now();
    for (const generation of log.generations.filter(({ finished }) => !finished)) {
      const idle = at - generation.grownAt;
      const left =
        generation.rotatedAt !== undefined &&
        at - Math.max(generation.rotatedAt, generation.grownAt) >= rotateWait;
      // The next block of a buffering writer holds the rest of the line.
      const longest = partialFlush * BLOCK_PATIENCE;
      const mayGoOn = generation.growth.endsWithBlock && wall() - generation.mtime < longest;
      const patience = mayGoOn ? longest : partialFlush;
      const gone = this.#catalogue.isGone(generation);
      const lost = generation.detached && gone;
      this.#consumers.forEach((consumer, i) => {
        const cursor = generation.cursors[i]!;
        const { partial } = cursor;
        const complete = generation.unreadBy(cursor) === partial.length;
        const due = lost || (complete && (final || (left && !mayGoOn) || idle >= patience));
        if (partial.length > 0 && due) this.#flushPartial(generation, consumer, cursor);
        if (generation.unreadBy(cursor) === 0) {
          consumer.settle(generation, cursor.read, idle, final || left || gone);
        }
      });
      const { isDelivered } = generation;
      if (left && generation.unread === 0 && isDelivered && generation.fd !== undefined) {
        generation.close();
        generation.ended = true;
        this.#options.onEnded();
        for (const consumer of this.#consumers) consumer.close(generation);
      }
      if (gone && generation.fd === undefined && (isDelivered || generation.detached)) {
        this.#forget(generation);
      }
    }
  }

  #flushPartial(generation: Generation, consumer: LineConsumer, cursor: Cursor): void {
    const { partial, read } = cursor;
    consumer.partial(generation, partial, read.offset);
    const tail = Buffer.concat([read.tail, partial]).subarray(-TAIL_LENGTH);
    cursor.partial = Buffer.alloc(0);
    this.#moveTo(generation, consumer, cursor, {
      offset: read.offset + partial.length,
      tail: Buffer.from(tail),
      inLine: true,
    });
  }

  #moveTo(generation: Generation, consumer: LineConsumer, cursor: Cursor, mark: Mark): void {
    generation.advance(cursor, mark);
    consumer.mark(generation, mark);
  }

  #forget(generation: Generation): void {
    for (const consumer of this.#consumers) consumer.close(generation);
    this.#catalogue.forget(generation);
  }

  /** Drops what cannot be delivered, so that a deleted file does not fill the disk. */
  #drop(generation: Generation, cause: 'held-bytes' | 'held-age'): void {
    const bytes = generation.unread;
    this.#options.onDrop(cause, bytes);
    this.#options.log.error('unread bytes of a deleted file were dropped', {
      event: 'deleted_file_dropped',
      path: generation.path,
      cause,
      bytes,
    });
    this.#forget(generation);
  }
}

/** Whether a file has unread bytes other than a line whose end is not written yet. */
function hasLines(generation: Generation, cursor: Cursor): boolean {
  return generation.unreadBy(cursor) > cursor.partial.length;
}
