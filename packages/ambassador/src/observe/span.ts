import { KNOWN_METHODS } from '../http/methods.ts';
import type { ExchangeRecord } from './exchange-record.ts';

/** The longest attribute, in characters: clients choose paths and hosts. */
const MAX_TEXT = 512;
const SERVER_KIND = 2;
const ERROR = 2;

/** Codes of gRPC that are errors of a server (OpenTelemetry, semantic conventions for gRPC). */
const GRPC_ERRORS: ReadonlySet<number> = new Set([2, 4, 12, 13, 14, 15]);

interface Attribute {
  readonly key: string;
  readonly value: { readonly stringValue: string } | { readonly intValue: string };
}

const text = (key: string, value: string): Attribute => ({
  key,
  value: { stringValue: value.slice(0, MAX_TEXT) },
});
const number = (key: string, value: number): Attribute => ({
  key,
  value: { intValue: String(value) },
});

/**
 * Encodes the span of an exchange in OTLP's JSON (opentelemetry-proto, trace.proto), with the
 * attributes of OpenTelemetry's conventions for HTTP servers. A query may hold secrets and is left out.
 * @param end in milliseconds of `performance.now()`.
 */
export function encodeSpan(exchange: ExchangeRecord, end: number): string {
  const { head, ids, status, grpcStatus, flags } = exchange;
  const [path = ''] = head.target.split('?', 1);
  const method = KNOWN_METHODS.has(head.method) ? head.method : '_OTHER';
  const failed =
    grpcStatus === undefined ? status >= 500 || flags !== '' : GRPC_ERRORS.has(grpcStatus);
  const attributes = [
    text('http.request.method', method),
    text('url.path', path),
    text('server.address', head.host),
    text('client.address', exchange.clientAddress),
    text('network.protocol.version', exchange.protocol === 'HTTP/2.0' ? '2' : '1.1'),
    number('http.response.status_code', status),
  ];
  if (grpcStatus !== undefined) attributes.push(number('rpc.grpc.status_code', grpcStatus));
  if (flags !== '') attributes.push(text('error.type', flags));
  if (exchange.endpoint) attributes.push(text('ambassador.upstream', exchange.endpoint.name));
  return JSON.stringify({
    traceId: ids.traceParent.slice(3, 35),
    spanId: ids.traceParent.slice(36, 52),
    ...(ids.span?.parent ? { parentSpanId: ids.span.parent } : {}),
    flags: 1,
    name: method === '_OTHER' ? 'HTTP' : method,
    kind: SERVER_KIND,
    startTimeUnixNano: nanoseconds(exchange.startedAt),
    endTimeUnixNano: nanoseconds(end),
    attributes,
    status: failed ? { code: ERROR } : {},
  });
}

/** Converts milliseconds of `performance.now()` to nanoseconds since 1970. */
function nanoseconds(time: number): string {
  return `${Math.round((performance.timeOrigin + time) * 1000)}000`;
}
