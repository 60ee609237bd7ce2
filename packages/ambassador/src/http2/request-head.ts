import { FieldKind, fieldKind } from '../http/field-kind.ts';
import {
  type CheckedRequest,
  checkRequest,
  type Refusal,
  sameHost,
} from '../http/request-check.ts';
import { type HeadLimits, headSize } from './head-limits.ts';
import { lowerCase } from './response-fields.ts';

/** It begins a pseudo-header field. */
const COLON = 58;

const bad = (reason: string, status = 400): Refusal => ({ status, reason });

/** The fields that only an HTTP/1.1 connection has (RFC 9113 §8.2.2). */
const FORBIDDEN: ReadonlySet<FieldKind> = new Set<FieldKind>([
  FieldKind.transferEncoding,
  FieldKind.connection,
  FieldKind.upgrade,
  FieldKind.hop,
]);

/**
 * Maps the fields of an HTTP/2 request to those of HTTP/1.1 and checks them as the full lane does, so
 * that both protocols have one reading (RFC 9113 §8.3). The body's length is the Content-Length, or
 * 0 if the stream ended with the head, or unknown.
 * @param raw names and values in turn, as they arrived. @param ended whether no body follows.
 * @param limits of the decoded head; all cookies are one field.
 */
export function checkHttp2Request(
  raw: readonly string[],
  ended: boolean,
  { maxHead, maxFields }: HeadLimits,
): CheckedRequest | Refusal {
  // A client may send it before it knows the limit that SETTINGS give.
  if (headSize(raw) > maxHead) return bad('the request head is too large', 431);
  let method: string | undefined;
  let scheme: string | undefined;
  let target: string | undefined;
  let authority: string | undefined;
  // Host is the first, if there is any.
  const headers: string[] = ['host', ''];
  let cookies: string | undefined;
  let host: string | undefined;
  let lengthKnown = ended;
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i]!;
    const value = raw[i + 1]!;
    if (name.charCodeAt(0) === COLON) {
      if (headers.length > 2 || host !== undefined || cookies !== undefined)
        return bad('a pseudo-header field after other fields');
      if (name === ':method' && method === undefined) method = value;
      else if (name === ':scheme' && scheme === undefined) scheme = value;
      else if (name === ':path' && target === undefined) target = value;
      else if (name === ':authority' && authority === undefined) authority = value;
      else return bad('an unknown or repeated pseudo-header');
      continue;
    }
    if (name !== lowerCase(name)) return bad('a field name in upper case');
    if (SPACE.test(value)) return bad('a field value that begins or ends with space');
    const kind = fieldKind(name);
    if (FORBIDDEN.has(kind)) return bad('a field of HTTP/1.1 connections');
    if (kind === FieldKind.te && value.toLowerCase() !== 'trailers')
      return bad('TE other than trailers');
    if (kind === FieldKind.host) {
      if (host !== undefined) return bad('more than one Host');
      host = value;
      continue;
    }
    if (kind === FieldKind.contentLength) {
      lengthKnown = true;
      if (ended && value !== '0') return bad('a Content-Length without a body');
    }
    // HTTP/1.1 has one Cookie field (RFC 9113 §8.2.3).
    if (name === 'cookie') cookies = cookies === undefined ? value : `${cookies}; ${value}`;
    else headers.push(name, value);
  }
  if (method === 'CONNECT') return bad('CONNECT is not allowed', 405);
  if (method === undefined || target === undefined) return bad('a pseudo-header field is missing');
  if (scheme !== 'http' && scheme !== 'https') return bad('the scheme is not http or https');
  if (authority !== undefined && host !== undefined && !sameHost(authority, host, scheme))
    return bad(':authority and Host name different hosts');
  // The target of HTTP/2 has no absolute-form.
  if (!target.startsWith('/') && target !== '*') return bad('the request target is not allowed');
  const named = authority ?? host;
  if (named === undefined || named === '') return bad('the host is missing');
  headers[1] = named;
  if (cookies !== undefined) headers.push('cookie', cookies);
  if (!lengthKnown) headers.push('transfer-encoding', 'chunked');
  return checkRequest({ method, target, version: '1.1', rawHeaders: headers, maxFields });
}

/** Space at the beginning or the end (RFC 9113 §8.2.1); the bytes of other characters are none. */
const SPACE = /^[ \t]|[ \t]$/;
