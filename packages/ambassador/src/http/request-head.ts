import { isMadeOf, parseLength, TARGET, TOKEN } from './characters.ts';
import { FieldKind } from './field-kind.ts';
import { type Fields, parseFields } from './fields.ts';
import { MAX_METHOD, NO_METHOD } from './methods.ts';

/** A request head that was parsed in full. */
export interface RequestHead {
  readonly method: string;
  /** Origin-form, or `*` of OPTIONS. */
  readonly target: string;
  readonly host: string;
  readonly fields: Fields;
  /** Bytes of the body; -1 if unknown. */
  readonly contentLength: number;
  /** Whether the client wants to keep the connection. */
  readonly keepAlive: boolean;
}

/** The latest valid Host: most requests have the same. */
let lastHost: string | undefined;

/**
 * Recognizes a request of the fast lane, strictly (RFC 9112 §3, §5, §6): a method, an
 * origin-form target, HTTP/1.1, exactly one Host, no body or one plain Content-Length, and nothing
 * that changes framing or the connection.
 * @param text latin1 text that starts with the head; `end` is the offset of its CRLFCRLF.
 * @returns undefined for anything else, which the full lane serves.
 */
export function recognizeRequest(
  text: string,
  end: number,
  maxFields: number,
): RequestHead | undefined {
  const space = text.indexOf(' ');
  const method = text.slice(0, space);
  if (space > MAX_METHOD || method === 'CONNECT' || method === NO_METHOD) return undefined;
  if (!isMadeOf(TOKEN, method)) return undefined;
  let at = space + 1;
  if (text.charCodeAt(at) !== 47) return undefined;
  while (TARGET[text.charCodeAt(at)] === 1) at++;
  const target = text.slice(space + 1, at);
  if (!text.startsWith(' HTTP/1.1\r\n', at)) return undefined;
  const fields = parseFields(text, at + 11, end + 2, maxFields);
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
