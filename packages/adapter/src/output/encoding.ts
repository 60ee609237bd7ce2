import type { LogRecord } from '../parse/parser.ts';

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

/** Writes records into a payload: one line each, without its line feed. */
export interface Encoding {
  readonly name: 'ndjson' | 'loki' | 'otlp';
  /** The number of bytes around the records of a body. */
  readonly overhead: number;
  /** @param now the time for records without their own, in milliseconds since the epoch. */
  encode(outgoing: Outgoing, now: number): string;
}

/** One JSON object per line. */
export const ndjson: Encoding = {
  name: 'ndjson',
  overhead: 2,
  encode: ({ record }) => JSON.stringify(record),
};

/**
 * Joins lines to the elements of a JSON array between `head` and `tail`. A line feed occurs only
 * at the end of a line, since JSON escapes it in text.
 */
export function asArray(lines: Buffer, head: Buffer, tail: Buffer): Buffer {
  const body = Buffer.allocUnsafe(head.length + lines.length - 1 + tail.length);
  head.copy(body);
  lines.copy(body, head.length, 0, lines.length - 1);
  for (let at = body.indexOf(0x0a, head.length); at !== -1; at = body.indexOf(0x0a, at + 1)) {
    body[at] = 0x2c;
  }
  tail.copy(body, body.length - tail.length);
  return body;
}
