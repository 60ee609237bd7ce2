import { accessParser } from './access.ts';
import { criEnvelope, parseCri } from './cri.ts';
import { dockerEnvelope, parseDocker } from './docker.ts';
import type { Envelope } from './envelope.ts';
import { parseJson } from './json.ts';
import { parseLogfmt } from './logfmt.ts';
import { nginxErrorParser } from './nginx-error.ts';
import type { LogRecord, Parser } from './parser.ts';
import { compilePattern, regexParser } from './regex.ts';
import { syslogParser } from './syslog.ts';
import { anyTime } from './time.ts';
import { type TimeZone, UTC } from './time-zone.ts';

export const FORMATS = [
  'json',
  'logfmt',
  'common',
  'combined',
  'nginx-error',
  'cri',
  'docker',
  'syslog',
  'raw',
  'regex',
] as const;
export type Format = (typeof FORMATS)[number];

/** The formats of the text in a field. */
export const NESTED_FORMATS = [
  'json',
  'logfmt',
  'common',
  'combined',
  'nginx-error',
  'syslog',
  'regex',
] as const;

export interface ParserOptions {
  readonly format: Format;
  /** For `regex`. */
  readonly pattern: string | undefined;
  /** The fields of json, logfmt and regex records that may hold the time; the first that does counts. */
  readonly timeFields: readonly string[];
  /** The zone of times without one. */
  readonly zone?: TimeZone;
}

/** Creates the parser of a format. */
export function parserFor({ format, pattern = '', timeFields, zone = UTC }: ParserOptions): Parser {
  switch (format) {
    case 'json':
      return timed(parseJson, timeFields, zone);
    case 'logfmt':
      return timed(parseLogfmt, timeFields, zone);
    case 'regex':
      return timed(regexParser(compilePattern(pattern)), timeFields, zone);
    case 'common':
    case 'combined':
      return accessParser(format);
    case 'nginx-error':
      return nginxErrorParser(zone);
    case 'cri':
      return parseCri;
    case 'docker':
      return parseDocker;
    case 'syslog':
      return syslogParser(zone);
    case 'raw':
      return (line) => ({ message: line });
  }
}

/** The formats in which a container runtime splits long messages. */
export const ENVELOPES: Partial<Record<Format, Envelope>> = {
  cri: criEnvelope,
  docker: dockerEnvelope,
};

/** Moves the time to `time`, in RFC 3339; a field that holds none stays unchanged. */
function timed(parse: Parser, fields: readonly string[], zone: TimeZone): Parser {
  return (line) => {
    const record = parse(line);
    if (typeof record === 'string') return record;
    for (const field of fields) {
      const value = record[field];
      if (value === undefined) continue;
      const time = anyTime(plain(value), zone);
      if (time === undefined) continue;
      if (field !== 'time') {
        if (record.time !== undefined) continue;
        delete record[field];
      }
      (record as LogRecord).time = time;
      break;
    }
    return record;
  };
}

/** Reads a number that was kept as it was written. */
function plain(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const raw = (JSON as unknown as { isRawJSON(value: unknown): boolean }).isRawJSON(value);
  return raw ? Number((value as { rawJSON: string }).rawJSON) : undefined;
}
