import { FieldKind } from './field-kind.ts';
import type { RequestHead } from './request-head.ts';

/** What the proxy itself says in a request; the same for all requests of a connection but the ids. */
export interface Forwarding {
  /** The peer's address, for X-Forwarded-For. */
  readonly clientAddress: string;
  readonly protocol: 'http' | 'https';
  /** Whether the peer's own forwarding fields are believed. */
  readonly trusted: boolean;
  /** Sent as Host instead of the client's. */
  readonly hostHeader: string | undefined;
}

/** The identifiers of one request. */
export interface RequestIds {
  readonly requestId: string;
  readonly traceParent: string;
}

/** What a request asks of the connection; only the full lane has any. */
export interface ConnectionWishes {
  readonly upgrade?: string | undefined;
  readonly expectContinue?: boolean;
  readonly trailers?: boolean;
}

/**
 * The one form in which a request goes upstream, from either lane: framing from what was
 * parsed, never from copied fields; hop-by-hop fields gone; ours at the end.
 */
export function canonicalRequest(
  head: RequestHead,
  forwarding: Forwarding,
  ids: RequestIds,
  wishes?: ConnectionWishes,
): string {
  const { names, values, kinds } = head.fields;
  const { hostHeader, trusted } = forwarding;
  let text = `${head.method} ${head.target} HTTP/1.1\r\nHost: ${hostHeader ?? head.host}\r\n`;
  let clients = '';
  let protocolKnown = false;
  let hostKnown = false;
  for (let i = 0; i < kinds.length; i++) {
    const kind = kinds[i];
    if (kind === FieldKind.ordinary) {
      text += `${names[i]}: ${values[i]}\r\n`;
    } else if (kind === FieldKind.traceState) {
      // It belongs to the traceparent beside it: to a new one it says nothing.
      if (hasTrace(head, ids)) text += `${names[i]}: ${values[i]}\r\n`;
    } else if (kind === FieldKind.forwarded && trusted) {
      const name = names[i]!.toLowerCase();
      if (name === 'x-forwarded-proto') protocolKnown = true;
      if (name === 'x-forwarded-host') hostKnown = true;
      text += `${names[i]}: ${values[i]}\r\n`;
    } else if (kind === FieldKind.forwardedFor && trusted) {
      clients += `${values[i]}, `;
    }
  }
  text += `X-Forwarded-For: ${clients}${forwarding.clientAddress}\r\n`;
  if (!protocolKnown) text += `X-Forwarded-Proto: ${forwarding.protocol}\r\n`;
  if (hostHeader !== undefined && !hostKnown) text += `X-Forwarded-Host: ${head.host}\r\n`;
  text += `Via: 1.1 ambassador\r\nX-Request-Id: ${ids.requestId}\r\nTraceparent: ${ids.traceParent}\r\n`;
  if (wishes?.trailers) text += 'TE: trailers\r\n';
  if (wishes?.expectContinue) text += 'Expect: 100-continue\r\n';
  if (wishes?.upgrade !== undefined)
    return `${text}Connection: Upgrade\r\nUpgrade: ${wishes.upgrade}\r\n\r\n`;
  if (head.contentLength === -1) return `${text}Transfer-Encoding: chunked\r\n\r\n`;
  // A body that may be empty says so; methods that have none stay silent (RFC 9110 §8.6).
  return head.contentLength > 0 || BODY_METHODS.has(head.method)
    ? `${text}Content-Length: ${head.contentLength}\r\n\r\n`
    : `${text}\r\n`;
}

const BODY_METHODS: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH']);

function hasTrace(head: RequestHead, ids: RequestIds): boolean {
  const at = head.fields.kinds.indexOf(FieldKind.traceParent);
  return at !== -1 && head.fields.values[at] === ids.traceParent;
}
