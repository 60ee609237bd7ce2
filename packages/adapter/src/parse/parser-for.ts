import { accessParser } from './access.ts';
import { parseCri } from './cri.ts';
import { parseJson } from './json.ts';
import { parseLogfmt } from './logfmt.ts';
import { parseNginxError } from './nginx-error.ts';
import type { LogRecord, Parser } from './parser.ts';
import { compilePattern, regexParser } from './regex.ts';
import { parseSyslog } from './syslog.ts';
import { anyTime } from './time.ts';

export const FORMATS = [
  'json',
  'logfmt',
  'common',
  'combined',
  'nginx-error',
  'cri',
  'syslog',
  'raw',
  'regex',
] as const;
export type Format = (typeof FORMATS)[number];

export interface ParserOptions {
  readonly format: Format;
  /** For `regex`. */
  readonly pattern: string | undefined;
  /** The fields of json, logfmt and regex records that may hold the time; the first that does counts. */
  readonly timeFields: readonly string[];
}

/** Creates the parser of a format. */
export function parserFor({ format, pattern = '', timeFields }: ParserOptions): Parser {
  switch (format) {
    case 'json':
      return timed(parseJson, timeFields);
    case 'logfmt':
      return timed(parseLogfmt, timeFields);
    case 'regex':
      return timed(regexParser(compilePattern(pattern)), timeFields);
    case 'common':
    case 'combined':
      return accessParser(format);
    case 'nginx-error':
      return parseNginxError;
    case 'cri':
      return parseCri;
    case 'syslog':
      return parseSyslog;
    case 'raw':
      return (line) => ({ message: line });
  }
}

/** Moves the time to `time`, in RFC 3339; a field that holds none stays unchanged. */
function timed(parse: Parser, fields: readonly string[]): Parser {
  return (line) => {
    const record = parse(line);
    if (typeof record === 'string') return record;
    for (const field of fields) {
      const value = record[field];
      if (value === undefined) continue;
      const time = anyTime(plain(value));
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
