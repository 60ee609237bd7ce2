import type { LogRecord, Parser } from './parser.ts';
import { commonLogTime } from './time.ts';

/**
 * Apache's and nginx's common and combined formats
 * (https://httpd.apache.org/docs/2.4/mod/mod_log_config.html#formats), also with the virtual host
 * in front (`vhost_combined`). Values of `-` are left
 * out. Inside quotes a backslash escapes: `\"` as Apache writes it, `\x22` as nginx does.
 *
 * This is the readable twin of `access-fast.ts`, which handles the plain lines among these
 * without making a record; a differential test keeps the two equal.
 */
const COMMON =
  /^(?:(\S+:\d{1,5}) (?!- ))?(\S+) (\S+) ([^[]*?) \[([^\]]{1,64})\] "((?:[^"\\]|\\.)*)" (\d{3}|-) (\d{1,15}|-)(?: |$)/s;
const COMBINED_REST = /^"((?:[^"\\]|\\.)*)" "((?:[^"\\]|\\.)*)"(?: |$)/s;
const REQUEST = /^([!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}) (\S+) ([A-Z]{1,16}\/\d(?:\.\d)?)$/;
const DURATION = /^\d{1,9}\.\d{1,9}$/;

/** Parses the common or the combined format. */
export function accessParser(format: 'common' | 'combined'): Parser {
  return (line) => {
    const match = COMMON.exec(line);
    if (!match) return `not in the ${format} log format`;
    const [head, vhost, host, ident, user, stamp, request, status, bytes] = match;
    const time = commonLogTime(stamp!);
    if (time === undefined) return 'its time is not that of the common log format';
    const record: LogRecord = { time };
    if (vhost !== undefined) record.vhost = vhost;
    if (host !== '-') record.remote_addr = host;
    if (ident !== '-') record.ident = ident;
    if (user !== '-') record.remote_user = user;
    addRequest(record, request!);
    if (status !== '-') record.status = Number(status);
    if (bytes !== '-') record.bytes = Number(bytes);
    let rest = line.slice(head!.length);
    if (format === 'combined') {
      const tail = COMBINED_REST.exec(rest);
      if (!tail) return 'not in the combined log format: no referer and user agent in quotes';
      const [all, referer, agent] = tail;
      if (referer !== '-') record.referer = unescaped(referer!);
      if (agent !== '-') record.user_agent = unescaped(agent!);
      rest = rest.slice(all.length);
    }
    if (DURATION.test(rest)) record.duration = Number(rest);
    else if (rest !== '') record.rest = rest;
    return record;
  };
}

/** Adds the request line as method, path and protocol, or unparsed if it is something else. */
export function addRequest(record: LogRecord, request: string): void {
  if (request === '-') return;
  const parts = REQUEST.exec(request);
  if (!parts) {
    record.request = unescaped(request);
    return;
  }
  record.method = parts[1];
  record.path = unescaped(parts[2]!);
  record.protocol = parts[3];
}

const NAMED: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', b: '\b', v: '\v' };

function unescaped(text: string): string {
  if (!text.includes('\\')) return text;
  const plain = text.replace(/\\(?:x[0-9a-fA-F]{2})+|\\(.)/gs, (all, one: string | undefined) => {
    if (one !== undefined && one !== 'x') return NAMED[one] ?? one;
    return all;
  });
  // Escaped bytes of one character are adjacent: decode them together.
  return plain.replace(/(?:\\x[0-9a-fA-F]{2})+/g, (hex) =>
    Buffer.from(hex.replaceAll('\\x', ''), 'hex').toString('utf8'),
  );
}
