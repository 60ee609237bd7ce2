import { Payload } from '../output/batch.ts';
import { type Encoding, ndjson, type Outgoing, type Source } from '../output/encoding.ts';
import { JsonOut } from '../output/json-out.ts';
import type { LogRecord } from '../parse/parser.ts';
import type { Generation } from '../tail/generation.ts';
import type { Batcher } from './batcher.ts';
import { RecordKey } from './record-key.ts';
import { partsOf } from './split-record.ts';
import { makeWellFormed } from './well-formed.ts';

const LF = 0x0a;
/** The records of longer lines, in UTF-16 units, are written in pieces. */
const LONG = 16 * 1024;

export interface RecordWriterOptions {
  readonly encoding: Encoding;
  readonly fileFields: readonly ('id' | 'offset' | 'path')[];
  /** Milliseconds since the epoch, for records without a time. */
  readonly wall: () => number;
}

/** Writes records into the current batch, as the output wants them. */
export class RecordWriter {
  readonly #options: RecordWriterOptions;
  readonly #batcher: Batcher;
  readonly #key: RecordKey;
  readonly #out = new JsonOut();
  readonly #whole = new Payload();

  constructor(options: RecordWriterOptions, batcher: Batcher) {
    this.#options = options;
    this.#batcher = batcher;
    this.#key = new RecordKey(options.fileFields);
  }

  /**
   * Writes a record with its key.
   * @param length the length of its line, in UTF-16 units.
   */
  write(source: Source, record: LogRecord, offset: number, length: number): void {
    const inPieces = length > LONG;
    if (this.#options.encoding === ndjson && !inPieces && this.#key.isFree(record)) {
      this.#appendWithKey(source, record, offset);
      return;
    }
    this.#key.add(source, offset, record);
    this.#append(source, record, offset, inPieces);
  }

  /** Forgets a file that is closed. */
  forget(generation: Generation): void {
    this.#key.forget(generation);
  }

  /** Writes a record in as many parts as its size needs, which have places of their own in the line. */
  #append(source: Source, record: LogRecord, offset: number, inPieces: boolean): void {
    const parts = [record];
    let at = offset;
    for (let part = parts.pop(); part; part = parts.pop()) {
      if (at !== offset) this.#key.renumber(source, at, part);
      const smaller = this.#writePart({ record: part, source }, inPieces);
      if (smaller.length === 0) at++;
      parts.push(...smaller.reverse());
    }
  }

  /** Writes a record as the output wants it; if it is too large, returns its parts instead. */
  #writePart(outgoing: Outgoing, inPieces: boolean): LogRecord[] {
    const { encoding, wall } = this.#options;
    const { payload } = this.#batcher.current;
    // Parts wait in batches, whose buffers must not be as large as the record was.
    const target = encoding.parts && inPieces ? this.#whole : payload;
    const before = payload.length;
    const start = target.length;
    const out = this.#out.start(target, inPieces);
    if (inPieces) makeWellFormed(outgoing.record);
    try {
      encoding.write(outgoing, wall(), out);
      if (out.isIllFormed) {
        target.length = start;
        makeWellFormed(outgoing.record);
        encoding.write(outgoing, wall(), out);
      }
    } catch (error) {
      target.length = start;
      throw error;
    }
    const count = encoding.parts?.(target.buffer, start, target.length) ?? 1;
    const parts = count === 1 ? [] : partsOf(outgoing.record, count);
    if (parts.length > 1) {
      target.length = start;
      return parts;
    }
    if (target !== payload) {
      payload.appendBytes(target.bytes);
      target.length = 0;
    }
    payload.appendByte(LF);
    this.#batcher.added(payload, before);
    return [];
  }

  /** Writes a record as JSON, with its key in place of the closing brace. */
  #appendWithKey(source: Source, record: LogRecord, offset: number): void {
    let json = JSON.stringify(record);
    if (json.includes('\\ud')) {
      makeWellFormed(record);
      json = JSON.stringify(record);
    }
    const { payload } = this.#batcher.current;
    const before = payload.length;
    payload.append(json);
    payload.ensure(this.#key.room);
    const { buffer, length } = payload;
    payload.length = this.#key.write(source, offset, buffer, length - 1);
    this.#batcher.added(payload, before);
  }
}
