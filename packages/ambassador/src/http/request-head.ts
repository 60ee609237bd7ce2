import { parseLength, TARGET } from './characters.ts';
import { FieldKind } from './field-kind.ts';
import { type Fields, parseFields } from './fields.ts';
import { KNOWN_METHODS } from './methods.ts';

/** A request head that was understood in full. */
export interface RequestHead {
  readonly method: string;
  /** Origin-form, or `*` of OPTIONS. */
  readonly target: string;
  readonly host: string;
  readonly fields: Fields;
  /** Octets of the body; -1 where it is chunked. */
  readonly contentLength: number;
  /** Whether the client wants the connection to go on. */
  readonly keepAlive: boolean;
}

/** The Host that was found good last: most requests have the same. */
let lastHost: string | undefined;

/**
 * The strict recogniser of the fast lane (RFC 9112 §3, §5, §6): a well-known method, an
 * origin-form target, HTTP/1.1, strict fields, exactly one Host, no body or one plain
 * Content-Length, and nothing that changes framing or the connection.
 * @param text latin1 text that starts with the head; `end` is the place of its CRLFCRLF.
 * @returns undefined for whatever it does not fully understand: that is the full lane's.
 */
export function recogniseRequest(text: string, end: number): RequestHead | undefined {
  const space = text.indexOf(' ');
  const method = text.slice(0, space);
  if (!KNOWN_METHODS.has(method)) return undefined;
  let at = space + 1;
  if (text.charCodeAt(at) !== 47) return undefined;
  while (TARGET[text.charCodeAt(at)] === 1) at++;
  const target = text.slice(space + 1, at);
  if (!text.startsWith(' HTTP/1.1\r\n', at)) return undefined;
  const fields = parseFields(text, at + 11, end + 2);
  if (fields === undefined) return undefined;

  let host: string | undefined;
  let contentLength = 0;
  let lengths = 0;
  let connections = 0;
  let keepAlive = true;
  const { kinds, values } = fields;
  for (let i = 0; i < kinds.length; i++) {
    switch (kinds[i]) {
      case FieldKind.ordinary:
        break;
      case FieldKind.host:
        if (host !== undefined) return undefined;
        host = values[i]!;
        if (host !== lastHost) {
          if (!isHost(host)) return undefined;
          lastHost = host;
        }
        break;
      case FieldKind.contentLength:
        contentLength = parseLength(values[i]!);
        if (++lengths > 1 || contentLength === -1) return undefined;
        break;
      case FieldKind.connection: {
        if (++connections > 1) return undefined;
        const value = values[i]!;
        if (value === 'close') keepAlive = false;
        else if (value !== 'keep-alive' && value !== 'Keep-Alive') return undefined;
        break;
      }
      case FieldKind.transferEncoding:
      case FieldKind.upgrade:
      case FieldKind.expect:
      case FieldKind.te:
      case FieldKind.hop:
        return undefined;
    }
  }
  if (host === undefined) return undefined;
  return { method, target, host, fields, contentLength, keepAlive };
}

/** uri-host [":" port] (RFC 9110 §7.2): a name, an IPv4 address or a bracketed IPv6 address. */
export function isHost(text: string): boolean {
  return /^(?:[A-Za-z0-9._~!$&'()*+,;=%-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?$/.test(text);
}
