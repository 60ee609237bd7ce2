import type { CanonicalRequest } from './canonical-request.ts';

/** Methods whose empty body is announced; the others send no length then (RFC 9110 §8.6). */
const BODY_METHODS: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH']);

/** Writes a request head in HTTP/1.1. Framing comes from what was parsed, never from a field. */
export function requestText(request: CanonicalRequest): string {
  const { method, fields, contentLength, extras } = request;
  let text = `${method} ${request.target} HTTP/1.1\r\nHost: ${request.authority}\r\n`;
  for (let i = 0; i < fields.length; i += 2) text += `${fields[i]}: ${fields[i + 1]}\r\n`;
  if (extras?.trailers) text += 'TE: trailers\r\n';
  if (extras?.expectContinue) text += 'Expect: 100-continue\r\n';
  if (extras?.upgrade !== undefined)
    return `${text}Connection: Upgrade\r\nUpgrade: ${extras.upgrade}\r\n\r\n`;
  if (contentLength === -1) return `${text}Transfer-Encoding: chunked\r\n\r\n`;
  return contentLength > 0 || BODY_METHODS.has(method)
    ? `${text}Content-Length: ${contentLength}\r\n\r\n`
    : `${text}\r\n`;
}
