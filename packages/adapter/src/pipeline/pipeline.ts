import { isAscii, isUtf8 } from 'node:buffer';
import { errorText } from '@sidekit/core';
import type { Received } from '../input/spool/spool-line.ts';
import type { AdapterMetrics } from '../observe/own-counters.ts';
import type { PayloadPool } from '../output/batch.ts';
import type { Delivery } from '../output/delivery.ts';
import type { Encoding, Source } from '../output/encoding.ts';
import { utc } from '../parse/calendar.ts';
import type { Sliceable } from '../parse/fast.ts';
import type { LogRecord, Parser } from '../parse/parser.ts';
import { TAIL_LENGTH } from '../tail/bytes.ts';
import { type Mark, START } from '../tail/cursor.ts';
import type { Generation } from '../tail/generation.ts';
import { LineFlag, type LineSink } from '../tail/line-splitter.ts';
import { Batcher } from './batcher.ts';
import { FileEnds } from './file-ends.ts';
import type { LineFormat } from './line-format.ts';
import { RecordKey } from './record-key.ts';
import { RecordWriter } from './record-writer.ts';

export interface PipelineOptions {
  readonly formatOf: (log: string) => LineFormat;
  /** JSON members, each after a comma, that follow those of the fast parser. */
  readonly added: string;
  /** Whether a record is kept; its second argument identifies it. */
  readonly filter: ((record: LogRecord, id: string) => boolean) | undefined;
  readonly transform: ((record: LogRecord) => void) | undefined;
  readonly observe: ((record: LogRecord) => void) | undefined;
  readonly encoding: Encoding;
  readonly fileFields: readonly ('id' | 'offset' | 'path')[];
  readonly batchBytes: number;
  readonly bufferBytes: number;
  readonly eventTimeout: number;
  readonly pool: PayloadPool;
  readonly metrics: AdapterMetrics;
  readonly now: () => number;
  /** Milliseconds since the epoch, for records without a time. */
  readonly wall: () => number;
  readonly delivery: Pick<Delivery, 'submit' | 'idle' | 'queuedBytes'>;
}

const EMPTY = Buffer.alloc(0) as Sliceable;

/** Turns the lines for one output into records and records into batches, synchronously. */
export class Pipeline implements LineSink {
  /** The number of lines that were converted without a record. */
  fastLines = 0;
  readonly #options: PipelineOptions;
  readonly #fastKey: RecordKey;
  readonly #batcher: Batcher;
  readonly #writer: RecordWriter;
  readonly #ends = new FileEnds();
  #isFull = false;
  // The current chunk.
  #generation: Generation | undefined;
  #format: LineFormat | undefined;
  #buffer: Sliceable = EMPTY;
  #start = 0;
  #offset = -1;
  #ascii = false;
  #utf8 = false;
  #counted = false;
  #records = 0;
  /** The chunk as one string, of which lines are slices, if all of it is ASCII. */
  #chunk = '';
  #chunkStart = 0;

  constructor(options: PipelineOptions) {
    const { batchBytes, bufferBytes, delivery, encoding } = options;
    this.#options = options;
    this.#fastKey = new RecordKey(options.fileFields, options.added);
    this.#batcher = new Batcher({
      ...options,
      batchBytes: Math.max(1, Math.min(batchBytes, bufferBytes) - encoding.overhead),
      submit: (batch) => {
        delivery.submit(batch);
        this.#isFull = delivery.queuedBytes >= bufferBytes;
      },
    });
    this.#writer = new RecordWriter(options, this.#batcher);
  }

  get isFull(): boolean {
    return this.#isFull;
  }

  /** Whether more may be read; if not, reading pauses until something was delivered. */
  hasRoom(): boolean {
    const { delivery, bufferBytes } = this.#options;
    this.#isFull = delivery.queuedBytes >= bufferBytes;
    return !this.#isFull;
  }

  begin(
    generation: Generation,
    buffer: Buffer,
    start: number,
    end: number,
    counted: boolean,
  ): void {
    this.#generation = generation;
    const format = this.#options.formatOf(generation.log);
    this.#format = format;
    this.#buffer = buffer as Sliceable;
    this.#start = start;
    this.#offset = -1;
    this.#counted = counted;
    const lines = buffer.subarray(start, end);
    this.#ascii = isAscii(lines);
    this.#utf8 = this.#ascii || isUtf8(lines);
    // A slice keeps the complete chunk in memory, so lines that are kept are decoded one by one.
    const whole = this.#ascii && !format.fast && !format.joiner;
    this.#chunk = whole ? this.#buffer.latin1Slice(start, end) : '';
    this.#chunkStart = start;
  }

  line(start: number, end: number, offset: number, flag: LineFlag): void {
    if (this.#offset === -1) this.#offset = offset - (start - this.#start);
    const { fast } = this.#format!;
    if (fast !== undefined && flag === LineFlag.none && this.#utf8) {
      const { payload } = this.#batcher.current;
      const before = payload.length;
      payload.ensure(end - start + fast.overhead + this.#fastKey.room);
      const at = fast.write(this.#buffer, start, end, payload.buffer, before);
      if (at !== -1) {
        payload.length = this.#fastKey.write(this.#generation!, offset, payload.buffer, at);
        this.#records++;
        this.fastLines++;
        this.#batcher.added(payload, before);
        return;
      }
    }
    this.#text(this.#decode(start, end), offset, flag);
  }

  /** Takes a partial last line, which is not part of a chunk. */
  partial(generation: Generation, text: Buffer, offset: number): void {
    const counted = offset >= generation.read.offset;
    if (counted) this.#options.metrics.partialLines.inc();
    this.begin(generation, text, 0, text.length, counted);
    this.line(0, text.length, offset, LineFlag.partial);
  }

  /** Notes that all lines before `read` were passed on; waiting ones are not acknowledged yet. */
  mark(generation: Generation, read: Mark): void {
    const { joiner, tally } = this.#options.formatOf(generation.log);
    tally?.(this.#counted);
    this.#count();
    const { marks } = this.#batcher.current;
    const held = joiner?.heldFrom(generation);
    if (held === undefined) {
      this.#ends.passed(marks, generation, read);
    } else if (this.#offset !== -1 && held >= this.#offset) {
      const at = this.#start + held - this.#offset;
      const tail = Buffer.from(this.#buffer.subarray(Math.max(0, at - TAIL_LENGTH), at));
      if (tail.length === Math.min(TAIL_LENGTH, held)) {
        this.#ends.passed(marks, generation, { offset: held, tail, inLine: false });
      }
    }
    if (held !== 0) this.#ends.release(marks, generation);
  }

  /** Lets events that wait in a rotated file go on in the next one, of which nothing was read yet. */
  handOver(generation: Generation, read: Mark, next: Generation): void {
    const { joiner } = this.#options.formatOf(generation.log);
    if (joiner?.heldFrom(generation) === undefined) return;
    if (joiner.heldFrom(next) !== undefined) this.settle(next, START, 0, true);
    joiner.move(generation, next);
    this.#ends.wait(generation, read, next);
  }

  /** Emits waiting events after a time without new lines. */
  settle(generation: Generation, read: Mark, idle: number, final: boolean): void {
    const format = this.#options.formatOf(generation.log);
    const { joiner } = format;
    if (joiner?.heldFrom(generation) === undefined) return;
    if (!final && idle < this.#options.eventTimeout) return;
    this.#counted = generation.settled < read.offset;
    generation.settled = Math.max(generation.settled, read.offset);
    joiner.flush(generation, (text, offset, flag, source) =>
      this.#record(source, format.parse, text, offset, flag, format),
    );
    this.#count();
    const { marks } = this.#batcher.current;
    this.#ends.passed(marks, generation, read);
    this.#ends.release(marks, generation);
  }

  /** Submits the collected records, unless others are still being delivered. */
  flush(): void {
    if (this.#options.delivery.idle) this.#batcher.submit();
  }

  close(generation: Generation): void {
    this.#writer.forget(generation);
    this.#fastKey.forget(generation);
    this.#ends.release(this.#batcher.current.marks, generation);
    this.#options.formatOf(generation.log).joiner?.close(generation);
  }

  #count(): void {
    if (this.#counted) this.#options.metrics.records.inc(this.#records);
    this.#records = 0;
  }

  #decode(start: number, end: number): string {
    const buffer = this.#buffer;
    if (this.#chunk !== '') {
      return this.#chunk.slice(start - this.#chunkStart, end - this.#chunkStart);
    }
    if (this.#ascii) return buffer.latin1Slice(start, end);
    if (this.#counted && !this.#utf8 && !isUtf8(buffer.subarray(start, end))) {
      this.#options.metrics.invalidUtf8.inc();
    }
    // Invalid UTF-8 becomes U+FFFD.
    return buffer.utf8Slice(start, end);
  }

  #text(text: string, offset: number, flag: LineFlag): void {
    const format = this.#format!;
    const { joiner, parse } = format;
    const generation = this.#generation!;
    if (!joiner) this.#record(generation, parse, text, offset, flag, format);
    else {
      joiner.add(generation, text, offset, flag, (event, from, mark, source) =>
        this.#record(source, parse, event, from, mark, format),
      );
    }
  }

  #record(
    source: Source,
    parse: Parser,
    text: string,
    offset: number,
    flag: LineFlag,
    format?: LineFormat,
  ): void {
    this.#records++;
    const received = format?.received?.(text);
    const line = received?.message ?? text;
    try {
      const parsed = parse(line);
      if (received && typeof parsed === 'object') arrived(parsed, received);
      const mark = received?.cut ? LineFlag.truncated : flag;
      this.#convert(source, parsed, line, offset, mark, format);
    } catch (error) {
      // One record that cannot be converted must not cost another.
      if (this.#counted) this.#options.metrics.failedRecords.inc();
      this.#convert(source, `cannot be converted: ${errorText(error)}`, line, offset, flag);
    }
  }

  #convert(
    source: Source,
    parsed: LogRecord | string,
    text: string,
    offset: number,
    flag: LineFlag,
    format?: LineFormat,
  ): void {
    const { filter, transform, observe, metrics } = this.#options;
    let record: LogRecord;
    if (typeof parsed === 'string') {
      if (this.#counted) metrics.parseErrors.inc();
      record = { raw: text, parse_error: parsed };
    } else {
      record = parsed;
      const isNested = format?.nested?.(record) ?? true;
      if (this.#counted) {
        if (!isNested) metrics.unparsedFields.inc();
        format?.access?.record(record);
        observe?.(record);
      }
    }
    if (filter && !filter(record, `${source.id} ${offset}`)) {
      if (this.#counted) metrics.filteredRecords.inc();
      return;
    }
    if (flag === LineFlag.partial) record.partial = true;
    if (flag === LineFlag.truncated) record.truncated = true;
    transform?.(record);
    this.#writer.write(source, record, offset, text.length);
  }
}

/** Gives a message without a time that of its arrival. */
function arrived(record: LogRecord, { at }: Received): void {
  if (record.time !== undefined || Number.isNaN(at)) return;
  record.time = utc(Math.floor(at / 1000) * 1000, String(at % 1000).padStart(3, '0'));
}
