import type { LogRecord } from '../parse/parser.ts';
import type { JsonOut } from './json-out.ts';

/** The file or sender from which a record comes. */
export interface Source {
  /** The first half of the deduplication key. */
  readonly id: string;
  /** The live path of a file. */
  readonly log: string;
}

/** A record with its deduplication key, ready to be encoded. */
export interface Outgoing {
  readonly record: LogRecord;
  readonly source: Source;
}

/** Writes records to a payload: one line each, without its line feed. */
export interface Encoding {
  readonly name: 'ndjson' | 'loki' | 'otlp';
  /** The number of bytes around the records of a body. */
  readonly overhead: number;
  /** @param now the time for records without their own, in milliseconds since the epoch. */
  write(outgoing: Outgoing, now: number, out: JsonOut): void;
  /**
   * The number of parts in which the receiver takes a record that was written to `bytes[start, end)`;
   * undefined if it takes all.
   */
  parts?(bytes: Buffer, start: number, end: number): number;
}

/** One JSON object per line. */
export const ndjson: Encoding = {
  name: 'ndjson',
  overhead: 2,
  write: ({ record }, _now, out) => out.value('', record, ''),
};
