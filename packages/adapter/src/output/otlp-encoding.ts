import type { LogRecord } from '../parse/parser.ts';
import type { Encoding } from './encoding.ts';
import { JsonText } from './json-out.ts';
import { nanoseconds, UINT64_MAX } from './nanoseconds.ts';

/** More values of one record than this become JSON text: each costs a receiver an object. */
const MOST_VALUES = 1024;
/** The attribute that holds the fields beyond that, as JSON text. */
const REST = 'other_fields';

/** LogRecords in OTLP's JSON encoding (https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding). */
export const otlpRecords: Encoding = {
  name: 'otlp',
  overhead: 4096,
  write: ({ record }, now, out) => out.value('', logRecord(record, now), ''),
};

/** Maps a record to the fields of OTLP's LogRecord; what has no field of its own is an attribute. */
function logRecord(record: LogRecord, now: number): Record<string, unknown> {
  const { time, ...rest } = record;
  const entry: Record<string, unknown> = { observedTimeUnixNano: `${now}000000` };
  const timeUnixNano = nanoseconds(time, UINT64_MAX);
  if (timeUnixNano !== undefined) entry.timeUnixNano = timeUnixNano;
  else if (time !== undefined) rest.time = time;
  const level = rest.level === undefined ? 'severity' : 'level';
  const severity = severityOf(rest[level]);
  if (severity) {
    delete rest[level];
    Object.assign(entry, severity);
  }
  const body = ['message', 'msg', 'raw'].find((name) => rest[name] !== undefined);
  const values = new Values();
  if (body !== undefined) {
    entry.body = values.of(rest[body]);
    delete rest[body];
  }
  for (const [field, length, names] of IDS) {
    const name = names.find((one) => isId(rest[one], length));
    if (name === undefined) continue;
    entry[field] = String(rest[name]).toLowerCase();
    delete rest[name];
  }
  entry.attributes = values.pairs(rest);
  return entry;
}

/** W3C trace context: field, number of hexadecimal digits, and the names that loggers use. */
const IDS: readonly (readonly [field: string, length: number, names: readonly string[]])[] = [
  ['traceId', 32, ['trace_id', 'traceId', 'traceID', 'traceid']],
  ['spanId', 16, ['span_id', 'spanId', 'spanID', 'spanid']],
];

/** Whether a value is a valid identifier: hexadecimal and not all zeros. */
function isId(value: unknown, length: number): boolean {
  if (typeof value !== 'string' || value.length !== length) return false;
  return /^[0-9a-f]*$/i.test(value) && /[^0]/.test(value);
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

function severityOf(level: unknown): Record<string, unknown> | undefined {
  if (typeof level !== 'string' && typeof level !== 'number') return undefined;
  const severityText = String(level);
  // pino's and bunyan's levels are numbers: 10 is trace, 60 is fatal.
  const severityNumber =
    typeof level === 'number'
      ? Math.min(24, Math.max(1, Math.round(level / 10) * 4 - 3))
      : SEVERITIES[severityText.toLowerCase()];
  return { severityText, ...(severityNumber === undefined ? {} : { severityNumber }) };
}

/** Converts the values of one record to OTLP's AnyValue; 64-bit integers are text there. */
class Values {
  #left = MOST_VALUES;

  of(value: unknown): Record<string, unknown> {
    this.#left--;
    switch (typeof value) {
      case 'string':
        return { stringValue: value };
      case 'boolean':
        return { boolValue: value };
      case 'number':
        if (Number.isSafeInteger(value)) return { intValue: String(value) };
        return Number.isFinite(value) ? { doubleValue: value } : { stringValue: String(value) };
      default:
        break;
    }
    if (value === null || value === undefined) return {};
    const raw = (JSON as unknown as { isRawJSON(value: unknown): boolean }).isRawJSON(value);
    if (raw) return { stringValue: (value as { rawJSON: string }).rawJSON };
    const size = Array.isArray(value) ? value.length : Object.keys(value).length;
    if (size > this.#left) return { stringValue: new JsonText(value) };
    if (Array.isArray(value)) return { arrayValue: { values: value.map((one) => this.of(one)) } };
    return { kvlistValue: { values: this.pairs(value as Record<string, unknown>) } };
  }

  /** Converts fields to attributes; names must not be empty or occur twice. */
  pairs(fields: Record<string, unknown>): unknown[] {
    const entries = Object.entries(fields);
    const kept = Math.max(0, Math.min(entries.length, this.#left));
    const pairs = entries
      .slice(0, kept)
      .map(([name, value]) => ({ key: nameOf(name, fields), value: this.of(value) }));
    if (kept < entries.length) {
      const rest = new JsonText(Object.fromEntries(entries.slice(kept)));
      pairs.push({ key: REST, value: { stringValue: rest } });
    }
    return pairs;
  }
}

function nameOf(name: string, fields: Record<string, unknown>): string {
  let valid = name;
  while (valid === '' || (valid !== name && Object.hasOwn(fields, valid))) valid += '_';
  return valid;
}
