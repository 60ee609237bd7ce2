import { parseLength } from './characters.ts';
import { FieldKind } from './field-kind.ts';
import type { HeaderRules } from './header-rules.ts';
import type { RequestHead } from './request-head.ts';
import { withoutPrefix } from './route-table.ts';

/** Facts that the proxy adds to the requests of one connection. */
export interface Forwarding {
  /** The peer's address, for X-Forwarded-For. */
  readonly clientAddress: string;
  readonly protocol: 'http' | 'https';
  /** Whether the peer's own forwarding fields are believed. */
  readonly trusted: boolean;
  /** The client's protocol version and the pseudonym of the listener, for Via. */
  readonly via: string;
  /** Whether client certificates are verified here. */
  readonly verifiesClients: boolean;
  /** The verified certificate of the client, as the value of Client-Cert (RFC 9440). */
  readonly clientCert: string | undefined;
  /** Whether the client's certificate has none of the allowed names. */
  readonly denied: boolean;
}

/** Settings of a listener or route for its requests. */
export interface RequestPolicy {
  /** Sent as Host instead of the client's. */
  readonly hostHeader: string | undefined;
  /** The prefix that is removed from targets; empty for none. */
  readonly stripPrefix: string;
  readonly requestHeaders: HeaderRules | undefined;
}

/** The identifiers of one request. */
export interface RequestIds {
  readonly requestId: string;
  readonly traceParent: string;
  /** The span of this request, if one is recorded: `traceParent` is then its own. */
  readonly span?: {
    /** The span of the client; undefined at the start of a trace. */ readonly parent:
      | string
      | undefined;
  };
}

/** Requests for more than a plain exchange; only the full lane has any. */
export interface RequestExtras {
  /** The protocol of an upgrade. */
  readonly upgrade?: string | undefined;
  readonly expectContinue?: boolean;
  /** Whether the client takes trailers. */
  readonly trailers?: boolean;
}

/** A request as it goes upstream, whatever protocol either side speaks. */
export interface CanonicalRequest {
  readonly method: string;
  /** Origin-form, or `*` of OPTIONS. */
  readonly target: string;
  /** Host, or `:authority`. */
  readonly authority: string;
  /** Names and values in turn; none of the hop, of framing, and no Host. */
  readonly fields: readonly string[];
  /** Bytes of the body; -1 if unknown. */
  readonly contentLength: number;
  readonly extras: RequestExtras | undefined;
}

/**
 * Builds the one form in which a request goes upstream, from every lane: the fields of the hop
 * are removed, the proxy's own are added at the end.
 */
export function canonicalRequest(
  head: RequestHead,
  forwarding: Forwarding,
  policy: RequestPolicy,
  ids: RequestIds,
  extras?: RequestExtras,
): CanonicalRequest {
  const { names, values, kinds } = head.fields;
  const { trusted } = forwarding;
  const { hostHeader, stripPrefix } = policy;
  const fields: string[] = [];
  let clients = '';
  let protocolKnown = false;
  let hostKnown = false;
  for (let i = 0; i < kinds.length; i++) {
    const kind = kinds[i];
    if (kind === FieldKind.ordinary) {
      fields.push(names[i]!, values[i]!);
    } else if (kind === FieldKind.traceState) {
      // It belongs to the client's traceparent: with a new one it has no meaning.
      if (hasTrace(head, ids)) fields.push(names[i]!, values[i]!);
    } else if (kind === FieldKind.forwarded && trusted) {
      const name = names[i]!.toLowerCase();
      if (name === 'x-forwarded-proto') protocolKnown = true;
      if (name === 'x-forwarded-host') hostKnown = true;
      fields.push(names[i]!, values[i]!);
    } else if (kind === FieldKind.identity) {
      if (trusted && !forwarding.verifiesClients) fields.push(names[i]!, values[i]!);
    } else if (kind === FieldKind.via) {
      fields.push(names[i]!, values[i]!);
    } else if (kind === FieldKind.maxForwards) {
      fields.push(names[i]!, oneLess(head.method, values[i]!));
    } else if (kind === FieldKind.forwardedFor && trusted) {
      clients += `${values[i]}, `;
    }
  }
  fields.push('X-Forwarded-For', clients + forwarding.clientAddress);
  if (!protocolKnown) fields.push('X-Forwarded-Proto', forwarding.protocol);
  if (hostHeader !== undefined && !hostKnown) fields.push('X-Forwarded-Host', head.host);
  if (stripPrefix !== '') fields.push('X-Forwarded-Prefix', stripPrefix);
  if (forwarding.clientCert !== undefined) fields.push('Client-Cert', forwarding.clientCert);
  fields.push('Via', forwarding.via);
  fields.push('X-Request-Id', ids.requestId, 'Traceparent', ids.traceParent);
  return {
    method: head.method,
    target: stripPrefix === '' ? head.target : withoutPrefix(head.target, stripPrefix),
    authority: hostHeader ?? head.host,
    fields: policy.requestHeaders?.apply(fields) ?? fields,
    contentLength: head.contentLength,
    extras,
  };
}

/** Decrements Max-Forwards for the methods that it concerns (RFC 9110 §7.6.2). */
function oneLess(method: string, value: string): string {
  const hops = parseLength(value);
  return (method === 'OPTIONS' || method === 'TRACE') && hops > 0 ? String(hops - 1) : value;
}

function hasTrace(head: RequestHead, ids: RequestIds): boolean {
  const at = head.fields.kinds.indexOf(FieldKind.traceParent);
  // The same trace, in a span of the client or of the proxy.
  return at !== -1 && head.fields.values[at]!.slice(3, 35) === ids.traceParent.slice(3, 35);
}
