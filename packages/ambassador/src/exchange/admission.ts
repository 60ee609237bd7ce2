import { preflightFields } from '../grpc/cors.ts';
import type { Forwarding, RequestExtras } from '../http/canonical-request.ts';
import { parseLength } from '../http/characters.ts';
import { FieldKind } from '../http/field-kind.ts';
import type { RequestHead } from '../http/request-head.ts';
import { hasDotSegment } from '../http/route-table.ts';
import { SMALL } from '../http/small.ts';
import { clientKey } from './client-rate-limit.ts';
import type { Runtime } from './runtime.ts';

/** The reply to a request that is not forwarded. */
export interface Refused {
  readonly status: number;
  readonly reason: string;
  /** For metrics and the access log; empty if the request itself is at fault. */
  readonly flag: string;
  /** In seconds. */
  readonly retryAfter?: number;
  /** More fields of the reply, names and values in turn. */
  readonly fields?: readonly string[];
}

/** A request and the runtimes that decide about it. */
export interface Candidate {
  readonly head: RequestHead;
  readonly forwarding: Forwarding;
  readonly extras: RequestExtras | undefined;
  readonly listener: Runtime;
  /** The runtime of its route, or of the listener without one. */
  readonly runtime: Runtime;
}

/** Returns the reason not to forward a request, if there is one. @param now in milliseconds. */
export function refusal(candidate: Candidate, now: number): Refused | undefined {
  const { head, forwarding, extras, listener, runtime } = candidate;
  const size = head.contentLength;
  if (size > runtime.maxBody)
    return { status: 413, reason: 'the body is larger than allowed', flag: '' };
  if (forwarding.denied)
    return { status: 403, reason: 'the client certificate has no allowed name', flag: '' };
  if (listener.routes !== undefined) {
    const unrouted = routing(candidate);
    if (unrouted !== undefined) return unrouted;
  }
  const ended = lastHop(head, runtime.via);
  if (ended !== undefined) return ended;
  const unbounded = size === -1 || size > SMALL || extras?.upgrade !== undefined;
  if (unbounded && runtime.memory.exhausted)
    return { status: 503, reason: 'the memory for bodies is used up', flag: 'OM', retryAfter: 1 };
  const wait = rateWait(candidate, now);
  if (wait === 0) return preflight(candidate);
  const retryAfter = Math.ceil(wait / 1000);
  return { status: 429, reason: 'too many requests', flag: 'RL', retryAfter };
}

/** Replies to a browser's question whether a page may call gRPC-Web. */
function preflight({ head, runtime }: Candidate): Refused | undefined {
  if (head.method !== 'OPTIONS' || !runtime.grpcWeb) return undefined;
  const fields = preflightFields(head, runtime.grpcWebOrigins);
  return fields && { status: 204, reason: 'a preflight request', flag: '', fields };
}

/** Refuses a request that no route, or more than one, could be meant by. */
function routing({ head, listener, runtime }: Candidate): Refused | undefined {
  if (hasDotSegment(head.target))
    return { status: 400, reason: 'the path has a dot segment', flag: '' };
  if (runtime === listener && listener.cluster.options.upstreams.length === 0)
    return { status: 404, reason: 'no route matches', flag: 'NR' };
  return undefined;
}

/** Replies to a request that must not be forwarded (RFC 9110 §7.6.2, RFC 5842 §7.2). */
function lastHop({ fields, method }: RequestHead, via: string): Refused | undefined {
  const { kinds, values } = fields;
  for (let i = 0; i < kinds.length; i++) {
    if (kinds[i] === FieldKind.via && values[i]!.split(/[\s,]+/).includes(via))
      return { status: 508, reason: 'the request came back to this proxy', flag: 'LD' };
    if (kinds[i] === FieldKind.maxForwards && parseLength(values[i]!) === 0) {
      const reason = 'Max-Forwards is 0';
      if (method === 'OPTIONS') return { status: 204, reason, flag: '' };
      if (method === 'TRACE') return { status: 405, reason, flag: '' };
    }
  }
  return undefined;
}

/** Takes a token of each limit; returns 0, or the time until there is one in milliseconds. */
function rateWait({ head, forwarding, listener, runtime }: Candidate, now: number): number {
  const own = runtime === listener ? undefined : runtime.rateLimit;
  if (listener.rateLimit !== undefined || own !== undefined) {
    const wait = listener.rateLimit?.take(now) || (own?.take(now) ?? 0);
    if (wait > 0) return wait;
  }
  return listener.clientRateLimit?.take(clientOf(head, forwarding, listener), now) ?? 0;
}

/** Tells clients apart, for the rate limit. */
function clientOf(
  { fields }: RequestHead,
  { trusted, clientAddress }: Forwarding,
  { clientRateHeader }: Runtime,
): string {
  if (!trusted || clientRateHeader === undefined) return clientKey(clientAddress);
  const { names, values } = fields;
  const at = names.findLastIndex((name) => name.toLowerCase() === clientRateHeader);
  return at === -1
    ? clientKey(clientAddress)
    : clientKey(values[at]!.split(',').at(-1)!.trim().slice(0, 64));
}
