import { addRequest } from './access.ts';
import type { LogRecord, Parser } from './parser.ts';
import { isoTime } from './time.ts';
import { type TimeZone, UTC } from './time-zone.ts';

const LINE = /^(\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d) \[([a-z]+)\] (\d+)#(\d+): (?:\*(\d+) )?(.*)$/s;
const CONTEXT =
  /, (client|server|request|subrequest|upstream|host|referrer): (?:"((?:[^"\\]|\\.)*)"|([^,]*))/g;
const NAMES: Readonly<Record<string, string>> = { client: 'remote_addr', referrer: 'referer' };

/** Parses nginx's error log (https://nginx.org/en/docs/ngx_core_module.html#error_log). */
export function nginxErrorParser(zone: TimeZone = UTC): Parser {
  return (line) => parseNginxError(line, zone);
}

function parseNginxError(line: string, zone: TimeZone): LogRecord | string {
  const match = LINE.exec(line);
  if (!match) return "not in the format of nginx's error log";
  const time = isoTime(match[1]!, zone);
  if (time === undefined) return 'its time is not one';
  const record: LogRecord = { time, level: match[2], pid: Number(match[3]), tid: Number(match[4]) };
  if (match[5] !== undefined) record.connection = Number(match[5]);
  const text = match[6]!;
  const context = /, (?:client|server|request|subrequest|upstream|host|referrer): /.exec(text);
  record.message = context ? text.slice(0, context.index) : text;
  if (!context) return record;
  for (const [, name, quoted, bare] of text.slice(context.index).matchAll(CONTEXT)) {
    const value = quoted ?? bare ?? '';
    if (name === 'request') addRequest(record, value);
    else record[NAMES[name!] ?? name!] = value;
  }
  return record;
}
