import type { Envelope } from './envelope.ts';
import { parseJson } from './json.ts';
import type { LogRecord, Parser } from './parser.ts';
import { isoTime } from './time.ts';

/**
 * Docker's `json-file` format (https://docs.docker.com/engine/logging/drivers/json-file/): an
 * object with `log`, `stream` and `time`, and with `attrs` if the driver's options ask for them.
 * Docker splits messages of more than 16 KiB: only the last part ends with a line feed.
 */
export const parseDocker: Parser = (line) => {
  const entry = entryOf(line);
  const time = entry && isoTime(entry.time);
  if (entry === undefined || time === undefined) {
    return "not in the format of Docker's json-file log driver";
  }
  const record: LogRecord = { time, stream: entry.stream, message: withoutEnd(entry.log) };
  if (entry.attrs !== undefined) record.attrs = entry.attrs;
  return record;
};

/** Joins the parts of a message, of which the last ends with a line feed. */
export const dockerEnvelope: Envelope = {
  open: (line) => {
    const entry = entryOf(line);
    if (!entry) return undefined;
    const more = !entry.log.endsWith('\n');
    return { stream: entry.stream, message: withoutEnd(entry.log), more };
  },
  seal: (line, message) => JSON.stringify({ ...entryOf(line), log: `${message}\n` }),
};

interface Entry {
  readonly log: string;
  readonly stream: string;
  readonly time: string;
  readonly attrs?: unknown;
}

function entryOf(line: string): Entry | undefined {
  const record = parseJson(line);
  if (typeof record === 'string') return undefined;
  const { log, stream, time } = record;
  // Each stream can hold an unfinished message: there must be no more than these.
  if (stream !== 'stdout' && stream !== 'stderr') return undefined;
  const valid = typeof log === 'string' && typeof time === 'string';
  return valid ? (record as unknown as Entry) : undefined;
}

function withoutEnd(log: string): string {
  return log.replace(/\r?\n$/, '');
}
