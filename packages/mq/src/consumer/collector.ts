import { ExpectedError } from '@sidekit/core';
import type { Slab } from '@sidekit/posix-mq';
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
import { skipLines } from '../queue/lines.ts';
import type { QueueReader } from '../queue/queue-reader.ts';
import { Spinning } from '../queue/spinning.ts';
import type { Acknowledger } from './acknowledger.ts';

const LINE_FEED = 0x0a;

export interface CollectorOptions {
  readonly reader: QueueReader;
  readonly slab: Slab;
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
}

/** Receives messages and lays out their records as one block of lines for the sink. */
export class Collector {
  readonly #options: CollectorOptions;
  readonly bytes: Buffer;
  readonly #spinning = new Spinning();
  readonly #prefix: Buffer;
  readonly #exit: Buffer;
  /** The end of the block, which begins at 0. */
  end = 0;
  /** The records in the block. */
  count = 0;
  /** Whether the last record was the exit message. */
  exited = false;
  /** Names the block, with at-least-once. */
  key: string | undefined;

  constructor(options: CollectorOptions) {
    this.#options = options;
    this.bytes = options.slab.bytes;
    this.#prefix = Buffer.from(options.prefix);
    this.#exit = Buffer.from(options.exitMessage);
    this.exited = options.reliable?.delivered.ended !== undefined && options.exitMessage !== '';
  }

  /** Starts the next block. */
  clear(): void {
    this.end = 0;
    this.count = 0;
    this.key = undefined;
  }

  /** Receives until the queue is empty (returns true) or the block is full (false). */
  collect(): boolean {
    const { reader, slab, metrics } = this.#options;
    const bytes = this.bytes;
    const prefix = this.#prefix.length;
    const { msgsize } = reader;
    // A message of line feeds alone grows by a prefix for each.
    const needed = msgsize * (1 + prefix) + prefix + 1;
    let messages = 0;
    let received = 0;
    const spinning = this.#spinning;
    let tried = 0;
    let empty = false;
    while (this.end + needed <= slab.length) {
      const at = this.end + prefix;
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
    metrics.messages.inc(messages);
    metrics.bytes.inc(received);
    return empty;
  }

  /** Ends a message that is one record and already in its place. */
  #plain(at: number, length: number) {
    const bytes = this.bytes;
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
      this.count++;
    }
    if (this.#prefix.length > 0) bytes.set(this.#prefix, this.end);
    bytes[end] = LINE_FEED;
    this.end = end + 1;
  }

  #special(at: number, length: number) {
    const bytes = this.bytes;
    const type = frameType(bytes, at, length);
    if (type === FrameType.batch) {
      this.exited = false;
      this.count += frameCount(bytes, at);
      this.#lines(at + BATCH_HEADER, at + length);
    } else if (type === FrameType.data || type === FrameType.end) {
      this.#data(at, length);
    } else {
      this.#plain(at, length);
    }
  }

  #data(at: number, length: number) {
    const { reliable, showExit, metrics } = this.#options;
    if (!reliable) {
      throw new ExpectedError(
        'the producer sends with --delivery at-least-once and waits for acknowledgements: give the consumer the same, with its --journal',
      );
    }
    const header = readDataHeader(this.bytes, at);
    const known = reliable.acknowledger.known(header);
    const end = header.type === FrameType.end;
    if (known >= header.count) {
      metrics.duplicates.inc(header.count);
      return;
    }
    if (known === -1) return;
    metrics.duplicates.inc(known);
    this.key ??= `${header.stream}-${header.sequence + known}`;
    reliable.delivered.ended = end ? header.stream : undefined;
    this.exited = end && this.#exit.length > 0;
    if (!end) this.count += header.count - known;
    else if (!showExit) return;
    this.#lines(skipLines(this.bytes, known, at + DATA_HEADER), at + length);
  }

  /** Moves lines that follow a header to their place, with their prefixes. */
  #lines(start: number, end: number) {
    const bytes = this.bytes;
    if (this.#prefix.length === 0) {
      bytes.copyWithin(this.end, start, end);
      this.end += end - start;
      return;
    }
    const lines = Buffer.from(bytes.subarray(start, end));
    for (let at = 0; at < lines.length; ) {
      const next = lines.indexOf(LINE_FEED, at) + 1 || lines.length;
      this.end += this.#prefix.copy(bytes, this.end);
      this.end += lines.copy(bytes, this.end, at, next);
      at = next;
    }
  }
}
