import { ExpectedError, type Log, throttle } from '@sidekit/core';
import { allocateSlab, type Slab } from '@sidekit/posix-mq';
import type { DeliveredOffsets } from '../journal/delivered-offsets.ts';
import type { QueueMetrics } from '../metrics.ts';
import {
  BATCH_HEADER,
  DATA_HEADER,
  FrameType,
  frameCount,
  frameType,
  readDataHeader,
} from '../queue/frame.ts';
import { countLines, skipLines } from '../queue/lines.ts';
import type { QueueReader } from '../queue/queue-reader.ts';
import { Spinning } from '../queue/spinning.ts';
import type { Acknowledger } from './acknowledger.ts';
import { Block, blockSize } from './block.ts';

const LINE_FEED = 0x0a;

export interface CollectorOptions {
  readonly reader: QueueReader;
  /** Precedes each line. */
  readonly prefix: string;
  readonly exitMessage: string;
  /** Whether the exit message is a line for the sink. */
  readonly showExit: boolean;
  /** With at-least-once. */
  readonly reliable:
    | { readonly acknowledger: Acknowledger; readonly delivered: DeliveredOffsets }
    | undefined;
  readonly metrics: QueueMetrics;
  readonly log: Log;
}

/** The lines of a message that are still to be added to a block, and what to note for each. */
interface Rest {
  readonly lines: Buffer;
  at: number;
  /** The sequence of the line at `at`, with at-least-once. */
  sequence: number;
  readonly stream: string | undefined;
  /** Whether it is the exit message, which is no record. */
  readonly exit: boolean;
}

/** Receives messages and lays out their records as one block of lines for the sink. */
export class Collector {
  readonly #options: CollectorOptions;
  readonly #spinning = new Spinning();
  readonly #prefix: Buffer;
  readonly #exit: Buffer;
  readonly #warnOfInvalid: () => void;
  #slab: Slab;
  #rest: Rest | undefined;
  block: Block;
  /** Whether the last record was the exit message. */
  exited = false;
  /** Names the block, with at-least-once. */
  key: string | undefined;

  private constructor(options: CollectorOptions, slab: Slab) {
    this.#options = options;
    this.#prefix = Buffer.from(options.prefix);
    this.#exit = Buffer.from(options.exitMessage);
    this.#slab = slab;
    this.block = new Block(slab.bytes, this.#prefix);
    this.exited = options.reliable?.delivered.ended !== undefined && options.exitMessage !== '';
    this.#warnOfInvalid = throttle(60_000, (suppressed) =>
      options.log.warn(
        'a message contradicts its own header, or the ring its layout, and is dropped',
        {
          event: 'message_invalid',
          suppressed,
        },
      ),
    );
  }

  static async create(options: CollectorOptions): Promise<Collector> {
    const size = blockSize(options.reader.msgsize, Buffer.byteLength(options.prefix));
    return new Collector(options, await allocateSlab(size));
  }

  /** Starts the next block, large enough for a message of the queue, which may have changed. */
  async clear(): Promise<void> {
    this.block.clear();
    this.key = undefined;
    const { msgsize } = this.#options.reader;
    if (this.block.fits(msgsize)) return;
    this.#slab = await allocateSlab(blockSize(msgsize, this.#prefix.length));
    this.block = new Block(this.#slab.bytes, this.#prefix);
  }

  /** Adds only the rest of a message that was received. @returns whether the block has lines. */
  collectRest(): boolean {
    if (this.#rest) this.#addRest();
    return this.block.end > 0;
  }

  /** Receives until the queue is empty (returns true) or the block is full (false). */
  collect(): boolean {
    if (this.#rest && !this.#addRest()) return false;
    const { reader, metrics } = this.#options;
    const { block } = this;
    const slab = this.#slab;
    const { bytes } = slab;
    const { msgsize } = reader;
    let messages = 0;
    let received = 0;
    const spinning = this.#spinning;
    let tried = 0;
    let empty = false;
    while (block.fits(msgsize) && !this.#rest) {
      const at = block.next;
      const length = reader.receive(slab, at);
      if (length === -1) {
        empty = ++tried > spinning.tries || msgsize === 0;
        if (!empty) continue;
        spinning.lost();
        break;
      }
      if (tried > 0) spinning.won();
      tried = 0;
      messages++;
      received += length;
      if (bytes[at] === 0 && length > 0) this.#special(at, length);
      else this.#plain(at, length);
    }
    const invalid = reader.release();
    if (invalid > 0) this.#invalid(invalid);
    metrics.messages.inc(messages);
    metrics.bytes.inc(received);
    return empty;
  }

  /** Ends a message that is one record and already in its place. */
  #plain(at: number, length: number) {
    const { block } = this;
    const { bytes } = block;
    let end = at + length;
    // C programs send their buffer with the NUL that ends the text, and the bytes after it.
    if (length > 0 && bytes[end - 1] === 0) end = bytes.indexOf(0, at);
    const exit = this.#exit;
    if (
      end - at === exit.length &&
      bytes[at] === exit[0] &&
      bytes.compare(exit, 0, exit.length, at, end) === 0
    ) {
      this.exited = true;
      if (!this.#options.showExit) return;
    } else {
      this.exited = false;
      block.count++;
    }
    block.close(end);
  }

  #special(at: number, length: number) {
    const { bytes } = this.block;
    const type = frameType(bytes, at, length);
    if (type === FrameType.batch) {
      this.exited = false;
      this.#lines(at + BATCH_HEADER, at + length, frameCount(bytes, at));
    } else if (type === FrameType.data || type === FrameType.end) {
      this.#data(at, length);
    } else {
      this.#plain(at, length);
    }
  }

  #invalid(count: number) {
    this.#options.metrics.invalid.inc(count);
    this.#warnOfInvalid();
  }

  #data(at: number, length: number) {
    const { reliable, showExit, metrics } = this.#options;
    if (!reliable) {
      throw new ExpectedError(
        'the producer sends with --delivery at-least-once and waits for acknowledgements: give the consumer the same, with its --journal',
      );
    }
    const { bytes } = this.block;
    const { delivered, acknowledger } = reliable;
    const header = readDataHeader(bytes, at);
    const [start, finish] = [at + DATA_HEADER, at + length];
    if (bytes[finish - 1] !== LINE_FEED || countLines(bytes, start, finish) !== header.count) {
      this.#invalid(1);
      return;
    }
    const known = acknowledger.known(header);
    if (known >= header.count) {
      metrics.duplicates.inc(header.count);
      return;
    }
    if (known === -1) return;
    metrics.duplicates.inc(known);
    const { stream } = header;
    const sequence = header.sequence + known;
    this.key ??= `${stream}-${sequence}`;
    const exit = header.type === FrameType.end;
    delivered.ended = exit ? stream : undefined;
    this.exited = exit && this.#exit.length > 0;
    if (exit && !showExit) {
      delivered.note(stream, sequence);
      return;
    }
    const from = skipLines(bytes, known, start);
    this.#lines(from, finish, header.count - known, { stream, sequence, exit });
  }

  /** Moves `count` lines that follow a header to their place, with their prefixes. */
  #lines(
    start: number,
    end: number,
    count: number,
    { stream, sequence, exit }: Pick<Rest, 'stream' | 'sequence' | 'exit'> = {
      stream: undefined,
      sequence: 0,
      exit: false,
    },
  ) {
    const { block } = this;
    const { bytes } = block;
    if (this.#prefix.length > 0) {
      this.#rest = {
        lines: Buffer.from(bytes.subarray(start, end)),
        at: 0,
        stream,
        sequence,
        exit,
      };
      this.#addRest();
      return;
    }
    bytes.copyWithin(block.end, start, end);
    block.end += end - start;
    // Only a faulty program leaves out the last line feed; its header made room for one.
    if (end > start && bytes[block.end - 1] !== LINE_FEED) bytes[block.end++] = LINE_FEED;
    if (!exit) block.count += count;
    if (stream !== undefined) {
      this.#options.reliable?.delivered.note(stream, sequence + count - 1);
    }
  }

  /** Adds as many of the remaining lines as fit. @returns whether none is left. */
  #addRest(): boolean {
    const rest = this.#rest!;
    const { lines, stream, exit } = rest;
    const { block } = this;
    this.key ??= stream === undefined ? undefined : `${stream}-${rest.sequence}`;
    while (rest.at < lines.length) {
      const feed = lines.indexOf(LINE_FEED, rest.at);
      if (!block.add(lines, rest.at, feed === -1 ? lines.length : feed + 1)) break;
      if (feed === -1) block.bytes[block.end++] = LINE_FEED;
      rest.at = feed === -1 ? lines.length : feed + 1;
      rest.sequence++;
      if (!exit) block.count++;
    }
    if (stream !== undefined) {
      this.#options.reliable?.delivered.note(stream, rest.sequence - 1);
    }
    if (rest.at < lines.length) return false;
    this.#rest = undefined;
    return true;
  }
}
