import { parseLength, VALUE } from './characters.ts';
import { FieldKind } from './field-kind.ts';
import { type Fields, parseFields } from './fields.ts';

/** The ways in which the end of a response's body is found (RFC 9112 §6.3). */
export const Framing = { none: 0, length: 1, chunked: 2, close: 3 } as const;

export type Framing = (typeof Framing)[keyof typeof Framing];

export interface ResponseHead {
  readonly status: number;
  readonly reason: string;
  readonly fields: Fields;
  readonly framing: Framing;
  /** The value of Content-Length, for a HEAD too; -1 if there is none. */
  readonly contentLength: number;
  /** Whether the upstream's connection may be used again. */
  readonly keepAlive: boolean;
}

/**
 * Parses a response head, strictly.
 * @param text latin1 text that starts with the head; `end` is the offset of its CRLFCRLF.
 * @returns the reason if it is not a valid response.
 */
export function parseResponse(
  text: string,
  end: number,
  method: string,
  maxFields?: number,
): ResponseHead | string {
  const minor = text.charCodeAt(7);
  if (!text.startsWith('HTTP/1.') || (minor !== 48 && minor !== 49) || text.charCodeAt(8) !== 32)
    return 'the status line is not HTTP/1.x';
  const status = parseLength(text.slice(9, 12));
  if (status < 100 || status > 599) return 'the status code is not one';
  const lineEnd = text.indexOf('\r\n', 12);
  if (lineEnd > 12 && text.charCodeAt(12) !== 32) return 'the status line is malformed';
  for (let i = 13; i < lineEnd; i++) {
    if (VALUE[text.charCodeAt(i)] !== 1) return 'the reason has a control character';
  }
  const fields = parseFields(text, lineEnd + 2, end + 2, maxFields);
  if (fields === undefined) return 'the fields are malformed';

  let length = -1;
  let chunked = false;
  let keepAlive = minor === 49;
  const { kinds, values } = fields;
  for (let i = 0; i < kinds.length; i++) {
    switch (kinds[i]) {
      case FieldKind.contentLength: {
        if (length !== -1) return 'more than one Content-Length';
        length = parseLength(values[i]!);
        if (length === -1) return 'Content-Length is not a number';
        break;
      }
      case FieldKind.transferEncoding:
        if (chunked || values[i]!.toLowerCase() !== 'chunked' || minor === 48)
          return 'a transfer coding other than chunked';
        chunked = true;
        break;
      case FieldKind.connection:
        if (/(?:^|,)\s*close\s*(?:,|$)/i.test(values[i]!)) keepAlive = false;
        break;
    }
  }
  if (chunked && length !== -1) return 'Content-Length together with Transfer-Encoding';
  let framing: Framing = chunked ? Framing.chunked : length === -1 ? Framing.close : Framing.length;
  if (method === 'HEAD' || status < 200 || status === 204 || status === 304) {
    framing = Framing.none;
    if (chunked || length > 0) {
      if (status < 200) return `a ${status} with a body`;
      // Some apps send one. No client reads it, so nothing can follow on the connection.
      if (status === 204) keepAlive = false;
    }
  } else if (framing === Framing.length && length === 0) framing = Framing.none;
  return {
    status,
    reason: text.slice(13, lineEnd),
    fields,
    framing,
    contentLength: length,
    keepAlive: keepAlive && framing !== Framing.close,
  };
}
