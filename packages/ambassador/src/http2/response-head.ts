import { isMadeOf, parseLength, TOKEN, VALUE } from '../http/characters.ts';
import { FieldKind, fieldKind } from '../http/field-kind.ts';
import type { Fields } from '../http/fields.ts';
import { Framing, type ResponseHead } from '../http/response-head.ts';
import { type HeadLimits, headSize } from './head-limits.ts';

/**
 * Reads the head of an HTTP/2 response as one of HTTP/1.1, strictly (RFC 9113 §8.3.2).
 * @param raw names and values in turn. @param ended whether no body follows.
 * @returns the reason if it is not a valid response.
 */
export function readHttp2Response(
  raw: readonly string[],
  method: string,
  ended: boolean,
  { maxHead, maxFields }: HeadLimits,
): ResponseHead | string {
  const fields: Fields = { names: [], values: [], kinds: [] };
  let status = -1;
  let length = -1;
  if (raw.length > 2 * maxFields + 2) return 'too many fields';
  if (headSize(raw) > maxHead) return 'the response head is too large';
  for (let i = 0; i < raw.length; i += 2) {
    const [name, value] = [raw[i]!, raw[i + 1]!];
    if (name === ':status') {
      status = status === -1 && value.length === 3 ? parseLength(value) : 0;
      continue;
    }
    if (!isMadeOf(TOKEN, name)) return 'a field name is not a token';
    if (value !== '' && !isMadeOf(VALUE, value)) return 'a field value has a control character';
    const kind = fieldKind(name);
    if (kind === FieldKind.contentLength) {
      if (length !== -1) return 'more than one Content-Length';
      length = parseLength(value);
      if (length === -1) return 'Content-Length is not a number';
    }
    if (kind === FieldKind.connection || kind === FieldKind.transferEncoding)
      return 'a field of HTTP/1.1 connections';
    fields.names.push(name);
    fields.values.push(value);
    fields.kinds.push(kind);
  }
  if (status < 100 || status > 599) return 'the status code is not one';
  const bodiless = method === 'HEAD' || status < 200 || status === 204 || status === 304;
  if (ended && !bodiless && length > 0) return 'a body shorter than its Content-Length';
  // The end of the stream says it, and HTTP/1.1 needs a length for it.
  if (ended && !bodiless) length = 0;
  const framing =
    bodiless || length === 0 ? Framing.none : length > 0 ? Framing.length : Framing.chunked;
  return { status, reason: '', fields, framing, contentLength: length, keepAlive: true };
}
