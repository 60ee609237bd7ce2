import { isAscii, isUtf8 } from 'node:buffer';
import type { AccessMetrics } from '../observe/log-metrics.ts';
import type { AdapterMetrics } from '../observe/own-counters.ts';
import { Batch, type PayloadPool } from '../output/batch.ts';
import { type Encoding, ndjson } from '../output/encoding.ts';
import type { FastParser, Sliceable } from '../parse/fast.ts';
import type { LogRecord, Parser } from '../parse/parser.ts';
import { TAIL_LENGTH } from '../tail/bytes.ts';
import type { Generation, Mark } from '../tail/generation.ts';
import { LineFlag, type LineSink } from '../tail/line-splitter.ts';
import type { Joiner } from './joiner.ts';
import { RecordKey } from './record-key.ts';

export interface PipelineOptions {
  readonly parse: Parser;
  /** Converts plain lines without a record; undefined if an option needs records. */
  readonly fast: FastParser | undefined;
  /** JSON members, each after a comma, that follow those of the fast parser. */
  readonly added: string;
  readonly joiner: Joiner | undefined;
  readonly transform: ((record: LogRecord) => void) | undefined;
  readonly observe: ((record: LogRecord) => void) | undefined;
  readonly access: AccessMetrics | undefined;
  /** Adds the fast parser's counts since the last batch to the metrics. */
  readonly tally: (() => void) | undefined;
  readonly encodings: readonly Encoding[];
  readonly fileFields: readonly ('id' | 'offset' | 'path')[];
  readonly batchBytes: number;
  readonly eventTimeout: number;
  readonly pool: PayloadPool;
  readonly metrics: AdapterMetrics;
  readonly now: () => number;
  readonly submit: (batch: Batch) => void;
}

const EMPTY = Buffer.alloc(0) as Sliceable;

/** Turns lines into records and records into batches, synchronously. */
export class Pipeline implements LineSink {
  /** The number of lines that were converted without a record. */
  fastLines = 0;
  readonly #options: PipelineOptions;
  readonly #key: RecordKey;
  readonly #fastKey: RecordKey;
  #batch: Batch | undefined;
  // The current chunk.
  #generation: Generation | undefined;
  #buffer: Sliceable = EMPTY;
  #start = 0;
  #offset = -1;
  #ascii = false;
  #utf8 = false;
  /** The chunk as one string, of which lines are slices, if all of it is ASCII. */
  #chunk = '';
  #chunkStart = 0;

  constructor(options: PipelineOptions) {
    this.#options = options;
    this.#key = new RecordKey(options.fileFields);
    this.#fastKey = new RecordKey(options.fileFields, options.added);
  }

  begin(generation: Generation, buffer: Buffer, start: number, end: number): void {
    this.#generation = generation;
    this.#buffer = buffer as Sliceable;
    this.#start = start;
    this.#offset = -1;
    const lines = buffer.subarray(start, end);
    this.#ascii = isAscii(lines);
    this.#utf8 = this.#ascii || isUtf8(lines);
    // A slice keeps the complete chunk in memory, so lines that are kept are decoded one by one.
    const whole = this.#ascii && !this.#options.fast && !this.#options.joiner;
    this.#chunk = whole ? this.#buffer.latin1Slice(start, end) : '';
    this.#chunkStart = start;
  }

  line(start: number, end: number, offset: number, flag: LineFlag): void {
    if (this.#offset === -1) this.#offset = offset - (start - this.#start);
    const { fast } = this.#options;
    if (fast !== undefined && flag === LineFlag.none && this.#utf8) {
      const payload = this.#current().payloads[0]!;
      payload.ensure(end - start + fast.overhead + this.#fastKey.room);
      const at = fast.write(this.#buffer, start, end, payload.buffer, payload.length);
      if (at !== -1) {
        payload.length = this.#fastKey.write(this.#generation!, offset, payload.buffer, at);
        this.#batch!.count++;
        this.fastLines++;
        return;
      }
    }
    this.#text(this.#decode(start, end), offset, flag);
  }

  /** Takes a partial last line, which is not part of a chunk. */
  partial(generation: Generation, text: Buffer, offset: number): void {
    this.#options.metrics.partialLines.inc();
    this.begin(generation, text, 0, text.length);
    this.line(0, text.length, offset, LineFlag.partial);
  }

  /** Notes that all lines before `read` were passed on; waiting ones are not acknowledged yet. */
  mark(generation: Generation, read: Mark): void {
    const { batchBytes } = this.#options;
    const batch = this.#current();
    const held = this.#options.joiner?.heldFrom(generation);
    if (held === undefined) {
      batch.marks.set(generation, read);
    } else if (this.#offset !== -1 && held >= this.#offset) {
      const at = this.#start + held - this.#offset;
      const tail = Buffer.from(this.#buffer.subarray(Math.max(0, at - TAIL_LENGTH), at));
      if (tail.length === Math.min(TAIL_LENGTH, held)) {
        batch.marks.set(generation, { offset: held, tail, inLine: false });
      }
    }
    if (batch.bytes >= batchBytes) this.flush();
  }

  /** Emits waiting events after a time without new lines. */
  settle(generation: Generation, idle: number, final: boolean): void {
    const { joiner, eventTimeout } = this.#options;
    if (joiner?.heldFrom(generation) === undefined) return;
    if (!final && idle < eventTimeout) return;
    this.#generation = generation;
    joiner.flush(generation, (text, offset, flag) => this.#record(text, offset, flag));
    this.#current().marks.set(generation, generation.read);
  }

  flush(): void {
    const batch = this.#batch;
    if (!batch || (batch.count === 0 && batch.marks.size === 0)) return;
    this.#batch = undefined;
    this.#options.tally?.();
    this.#options.metrics.records.inc(batch.count);
    this.#options.submit(batch);
  }

  close(generation: Generation): void {
    this.#key.forget(generation);
    this.#fastKey.forget(generation);
    this.#options.joiner?.close(generation);
  }

  #current(): Batch {
    if (this.#batch) return this.#batch;
    const { encodings, pool, now } = this.#options;
    this.#batch = new Batch(
      encodings.map(() => pool.take()),
      now(),
    );
    return this.#batch;
  }

  #decode(start: number, end: number): string {
    const buffer = this.#buffer;
    if (this.#chunk !== '') {
      return this.#chunk.slice(start - this.#chunkStart, end - this.#chunkStart);
    }
    if (this.#ascii) return buffer.latin1Slice(start, end);
    if (!this.#utf8 && !isUtf8(buffer.subarray(start, end))) {
      this.#options.metrics.invalidUtf8.inc();
    }
    // Invalid UTF-8 becomes U+FFFD.
    return buffer.utf8Slice(start, end);
  }

  #text(text: string, offset: number, flag: LineFlag): void {
    const { joiner } = this.#options;
    if (!joiner) this.#record(text, offset, flag);
    else {
      joiner.add(this.#generation!, text, offset, flag, (event, from, mark) =>
        this.#record(event, from, mark),
      );
    }
  }

  #record(text: string, offset: number, flag: LineFlag): void {
    const { parse, transform, observe, access, encodings, metrics, now } = this.#options;
    let record = parse(text);
    if (typeof record === 'string') {
      metrics.parseErrors.inc();
      record = { raw: text, parse_error: record };
    } else {
      access?.record(record);
      observe?.(record);
    }
    if (flag === LineFlag.partial) record.partial = true;
    if (flag === LineFlag.truncated) record.truncated = true;
    transform?.(record);
    const batch = this.#current();
    if (encodings.length === 1 && encodings[0] === ndjson && this.#key.isFree(record)) {
      const payload = batch.payloads[0]!;
      payload.append(JSON.stringify(record));
      payload.ensure(this.#key.room);
      const { buffer, length } = payload;
      // The key replaces the closing brace.
      payload.length = this.#key.write(this.#generation!, offset, buffer, length - 1);
    } else {
      this.#key.add(this.#generation!, offset, record);
      const json = JSON.stringify(record);
      const at = now();
      for (let i = 0; i < encodings.length; i++) {
        const encoding = encodings[i]!;
        const payload = batch.payloads[i]!;
        payload.append(encoding.encode({ record, json }, at));
        payload.appendByte(encoding.end);
      }
    }
    batch.count++;
  }
}
