import { type LogRecord, type Parser, setField } from './parser.ts';
import { bsdTime, isoTime } from './time.ts';
import { type TimeZone, UTC, ZONE } from './time-zone.ts';

export const SEVERITIES = [
  'emerg',
  'alert',
  'crit',
  'err',
  'warning',
  'notice',
  'info',
  'debug',
] as const;
// RFC 5424 table 1, with the usual short names.
export const FACILITIES = [
  ...['kern', 'user', 'mail', 'daemon', 'auth', 'syslog', 'lpr', 'news', 'uucp', 'cron'],
  ...['authpriv', 'ftp', 'ntp', 'audit', 'alert', 'clock'],
  ...['local0', 'local1', 'local2', 'local3', 'local4', 'local5', 'local6', 'local7'],
] as const;

const PRIORITY = /^<(\d{1,3})>/;
/** Senders leave out the zone of the time, against the RFC. */
const RFC5424 = /^1 (-|\S{19,40}) (-|\S{1,255}) (-|\S{1,48}) (-|\S{1,128}) (-|\S{1,32}) (-|\[)/;
/** The zone of a time, which no RFC has here, with the colon of network devices. */
const OFFSET = `(?: ?${ZONE}:?(?= ))?`;
/** A time of RFC 3164, with or without a year after the date or the time, a fraction and a zone. */
const STAMP = String.raw`[A-Z][a-z]{2} (?: \d|\d{1,2})(?: (?:19|20)\d\d)? \d\d:\d\d:\d\d(?:[.,]\d{1,9})?${OFFSET}(?: (?:19|20)\d\d(?= ))?`;
const ISO_STAMP = String.raw`\d{4}-\d\d-\d\d[T ]\d\d:\S{5,27}${OFFSET}`;
const RFC3164 = new RegExp(String.raw`^(${STAMP}|${ISO_STAMP}) (\S{1,255}) (.*)$`, 's');
/** A header without a host name, as libc's syslog(3) writes it to a local socket. */
const LOCAL = new RegExp(
  String.raw`^(${STAMP}) (?=[^\s:[\]]{1,64}(?:\[[^\]]{1,64}\])?: )(.*)$`,
  's',
);
const TAG = /^([^\s:[\]]{1,64})(?:\[(\d{1,10}|[^\]]{1,64})\])?: ?/;

/**
 * Parses RFC 5424, and RFC 3164 with or without priority and host name, and with RFC 3339 times or
 * years too.
 * A message with a priority may be without a header.
 */
export function syslogParser(zone: TimeZone = UTC): Parser {
  return (line) => parseSyslog(line, zone);
}

function parseSyslog(line: string, zone: TimeZone): LogRecord | string {
  const record: LogRecord = {};
  let rest = line;
  const priority = PRIORITY.exec(line);
  if (priority) {
    const value = Number(priority[1]);
    if (value > 191) return 'its priority is above 191';
    rest = line.slice(priority[0].length);
    record.facility = FACILITIES[value >> 3];
    record.severity = SEVERITIES[value & 7];
    if (rest.startsWith('1 ')) return rfc5424(rest, record, zone);
  }
  const failure = rfc3164(rest, record, zone);
  if (failure === undefined) return record;
  if (!priority) return failure;
  // RFC 3164 §4.3.3: what follows a priority is the message if it has no header.
  record.message = rest;
  return record;
}

/** Reads a header and its message into the record; returns why there is none. */
function rfc3164(text: string, record: LogRecord, zone: TimeZone): string | undefined {
  const local = LOCAL.exec(text);
  const match = local ?? RFC3164.exec(text);
  const stamp = match?.[1] ?? '';
  const time = match ? (bsdTime(stamp, zone) ?? isoTime(stamp, zone)) : undefined;
  if (!match || time === undefined) return 'not in the format of RFC 3164 or RFC 5424';
  record.time = time;
  if (!local) record.hostname = match[2];
  const message = match[local ? 2 : 3]!;
  const tag = TAG.exec(message);
  if (tag) {
    record.app_name = tag[1];
    if (tag[2] !== undefined) record.proc_id = tag[2];
  }
  record.message = message.slice(tag?.[0].length ?? 0);
  return undefined;
}

function rfc5424(text: string, record: LogRecord, zone: TimeZone): LogRecord | string {
  const match = RFC5424.exec(text);
  if (!match) return 'not in the format of RFC 5424';
  const [head, stamp, ...names] = match;
  if (stamp !== '-') {
    const time = isoTime(stamp!, zone);
    if (time === undefined) return 'its time is not that of RFC 3339';
    record.time = time;
  }
  ['hostname', 'app_name', 'proc_id', 'msg_id'].forEach((name, i) => {
    if (names[i] !== '-') record[name] = names[i];
  });
  let at = head.length;
  if (names[4] === '[') {
    const data: Record<string, Record<string, string>> = {};
    at = structuredData(text, head.length - 1, data);
    if (at === -1) return 'its structured data do not end';
    record.structured_data = data;
  }
  if (text[at] === ' ') at++;
  const message = text.slice(at);
  // RFC 5424 §6.4 marks UTF-8 by a byte order mark.
  if (message !== '') record.message = message.startsWith('\ufeff') ? message.slice(1) : message;
  return record;
}

/** Parses RFC 5424 §6.3 and returns the position after the last element, or -1. */
function structuredData(
  text: string,
  from: number,
  data: Record<string, Record<string, string>>,
): number {
  let at = from;
  while (text[at] === '[') {
    const id = /^\[([^\s="\]]{1,32})/.exec(text.slice(at, at + 40));
    if (!id) return -1;
    const values: Record<string, string> = {};
    at += id[0].length;
    while (text[at] === ' ') {
      const name = /^ ([^\s="\]]{1,32})="/.exec(text.slice(at, at + 40));
      if (!name) return -1;
      let end = at + name[0].length;
      while (end < text.length && text[end] !== '"') end += text[end] === '\\' ? 2 : 1;
      if (end >= text.length) return -1;
      const value = text.slice(at + name[0].length, end).replace(/\\(["\\\]])/g, '$1');
      setField(values, name[1]!, value);
      at = end + 1;
    }
    if (text[at] !== ']') return -1;
    setField(data, id[1]!, values);
    at++;
  }
  return at;
}
