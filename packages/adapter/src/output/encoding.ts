import type { LogRecord } from '../parse/parser.ts';

/** A record with its deduplication key, ready to be encoded. */
export interface Outgoing {
  readonly record: LogRecord;
  readonly json: string;
}

/** Writes records into a payload. */
export interface Encoding {
  readonly name: 'ndjson' | 'loki' | 'otlp';
  /** The byte after each record. */
  readonly end: number;
  encode(outgoing: Outgoing, now: number): string;
}

const COMMA = 0x2c;

/** One JSON object per line. */
export const ndjson: Encoding = { name: 'ndjson', end: 0x0a, encode: ({ json }) => json };

/** Entries of a Loki stream, each followed by a comma: `["<ns>","<line>"]`. */
export const lokiEntries: Encoding = {
  name: 'loki',
  end: COMMA,
  encode: ({ record, json }, now) => `["${nanoseconds(record.time, now)}",${JSON.stringify(json)}]`,
};

/** LogRecords in OTLP's JSON encoding, each followed by a comma. */
export const otlpRecords: Encoding = {
  name: 'otlp',
  end: COMMA,
  encode: ({ record }, now) => {
    const { time, level, severity, ...rest } = record;
    const bodyName = ['message', 'msg', 'raw'].find((name) => rest[name] !== undefined);
    const body = bodyName === undefined ? undefined : rest[bodyName];
    if (bodyName !== undefined) delete rest[bodyName];
    const severityText = level ?? severity;
    const entry: Record<string, unknown> = {
      observedTimeUnixNano: `${now}000000`,
      ...(typeof time === 'string' ? { timeUnixNano: nanoseconds(time, now) } : {}),
      ...severityOf(severityText),
      ...(body === undefined ? {} : { body: anyValue(body) }),
      attributes: attributes(rest),
    };
    return JSON.stringify(entry);
  },
};

/** Returns the time of a record in nanoseconds; that of its arrival if it has none. */
export function nanoseconds(time: unknown, now: number): string {
  if (typeof time === 'string') {
    const milliseconds = Date.parse(time.replace(/\.\d+/, ''));
    const fraction = /\.(\d{1,9})/.exec(time)?.[1] ?? '';
    if (!Number.isNaN(milliseconds) && milliseconds >= 0) {
      return `${milliseconds / 1000}${fraction.padEnd(9, '0')}`;
    }
  }
  return `${now}000000`;
}

// OpenTelemetry's log data model, "Severity fields" and its appendix of mappings.
const SEVERITIES: Readonly<Record<string, number>> = {
  trace: 1,
  debug: 5,
  info: 9,
  notice: 10,
  warn: 13,
  warning: 13,
  err: 17,
  error: 17,
  crit: 18,
  critical: 18,
  alert: 19,
  fatal: 21,
  panic: 21,
  emerg: 21,
};

function severityOf(level: unknown): Record<string, unknown> {
  if (level === undefined || level === null) return {};
  const text = String(level);
  // pino's and bunyan's levels are numbers: 10 is trace, 60 is fatal.
  const number =
    typeof level === 'number'
      ? Math.min(24, Math.max(1, Math.round(level / 10) * 4 - 3))
      : SEVERITIES[text.toLowerCase()];
  return { severityText: text, ...(number === undefined ? {} : { severityNumber: number }) };
}

function attributes(record: Record<string, unknown>): unknown[] {
  return Object.entries(record).map(([key, value]) => ({ key, value: anyValue(value) }));
}

/** Converts a value to OTLP's AnyValue in JSON, in which 64-bit integers are text. */
function anyValue(value: unknown): Record<string, unknown> {
  switch (typeof value) {
    case 'string':
      return { stringValue: value };
    case 'boolean':
      return { boolValue: value };
    case 'number':
      return Number.isSafeInteger(value) ? { intValue: String(value) } : { doubleValue: value };
    default:
      break;
  }
  if (Array.isArray(value)) return { arrayValue: { values: value.map(anyValue) } };
  if (value === null || value === undefined) return {};
  const raw = (JSON as unknown as { isRawJSON(value: unknown): boolean }).isRawJSON(value);
  if (raw) return { stringValue: (value as { rawJSON: string }).rawJSON };
  return { kvlistValue: { values: attributes(value as Record<string, unknown>) } };
}
