import { errorText } from '../errors.ts';
import { rfc3339 } from '../time/rfc3339.ts';
import { writeStderr } from './stderr.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';
export type LogFields = Readonly<Record<string, unknown>>;

/**
 * Writes JSON lines to stderr (stdout belongs to data): `time` (RFC 3339, UTC), `level`, `name`,
 * `msg`, then the fields. A field `error` may hold anything that was thrown.
 */
export interface Log {
  debug(msg: string, fields?: LogFields): void;
  info(msg: string, fields?: LogFields): void;
  warn(msg: string, fields?: LogFields): void;
  error(msg: string, fields?: LogFields): void;
  /** The same log with fields that every record carries. */
  with(fields: LogFields): Log;
}

const ORDER: Readonly<Record<LogLevel, number>> = { debug: 0, info: 1, warn: 2, error: 3 };

export interface LogOptions {
  readonly name: string;
  readonly level?: LogLevel;
  /** Receives each record with its line feed; stderr by default. */
  readonly write?: (line: string) => void;
  /** Milliseconds since the epoch; the clock's by default. */
  readonly now?: () => number;
  readonly fields?: LogFields;
}

export function createLog(options: LogOptions): Log {
  const { name, level = 'info', fields: own = {}, now = Date.now } = options;
  const write = options.write ?? writeStderr;
  const record = (severity: LogLevel) => (msg: string, fields?: LogFields) => {
    if (ORDER[severity] < ORDER[level]) return;
    const head = { time: rfc3339(now()), level: severity, name, msg };
    write(`${lineOf(head, { ...own, ...fields })}\n`);
  };
  return {
    debug: record('debug'),
    info: record('info'),
    warn: record('warn'),
    error: record('error'),
    with: (fields) => createLog({ ...options, fields: { ...own, ...fields } }),
  };
}

/** A log that says nothing, for code that is used without one. */
export const silentLog: Log = createLog({ name: 'silent', write: () => {} });

/** The record as JSON. What cannot be written, such as a cycle, never costs the message. */
function lineOf(head: LogFields, fields: LogFields): string {
  try {
    return JSON.stringify({ ...head, ...fields }, readable);
  } catch (error) {
    return JSON.stringify({ ...head, unwritable: errorText(error) });
  }
}

function readable(_key: string, value: unknown): unknown {
  if (value instanceof Error) return errorText(value);
  return typeof value === 'bigint' ? value.toString() : value;
}
