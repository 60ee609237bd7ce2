import type { CanonicalRequest } from '../http/canonical-request.ts';
import { lowerCase } from './response-fields.ts';

/** Methods whose empty body is announced (RFC 9110 §8.6). */
const BODY_METHODS: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH']);

/**
 * Builds the field list of an HTTP/2 request. An Upgrade is ignored, as RFC 9110 §7.8 allows:
 * HTTP/2 has none.
 */
export function http2Request(request: CanonicalRequest, scheme: 'http' | 'https'): string[] {
  const { method, target, authority, fields, contentLength, extras } = request;
  const list = [':method', method, ':scheme', scheme, ':authority', authority, ':path', target];
  for (let i = 0; i < fields.length; i += 2) list.push(lowerCase(fields[i]!), fields[i + 1]!);
  if (contentLength > 0 || (contentLength === 0 && BODY_METHODS.has(method)))
    list.push('content-length', String(contentLength));
  if (extras?.trailers) list.push('te', 'trailers');
  if (extras?.expectContinue) list.push('expect', '100-continue');
  return list;
}
