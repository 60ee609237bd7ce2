import { responseText } from './canonical-response.ts';

const REASONS: Readonly<Record<number, string>> = {
  204: 'No Content',
  400: 'Bad Request',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  408: 'Request Timeout',
  413: 'Content Too Large',
  417: 'Expectation Failed',
  421: 'Misdirected Request',
  429: 'Too Many Requests',
  431: 'Request Header Fields Too Large',
  501: 'Not Implemented',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
  505: 'HTTP Version Not Supported',
  508: 'Loop Detected',
};

export interface LocalReplyOptions {
  /** In seconds; 0 for none. */
  readonly retryAfter?: number | undefined;
  readonly requestId?: string;
  readonly close?: boolean;
  /** The code of the reply to a gRPC call, which is then Trailers-Only with status 200. */
  readonly grpcStatus?: number | undefined;
  /** The content type of such a reply; `application/grpc` by default. */
  readonly grpcType?: string;
  /** More fields, names and values in turn. */
  readonly fields?: readonly string[] | undefined;
}

/** Builds a local reply: a response of the proxy itself. */
export function localReply(status: number, reason: string, options: LocalReplyOptions = {}) {
  const { retryAfter, requestId, close, grpcStatus } = options;
  const message = localMessage(status, reason);
  if (grpcStatus !== undefined) return grpcReply(grpcStatus, message, options);
  const body = status === 204 ? '' : `${message}\n`;
  const fields =
    status === 204
      ? []
      : ['Content-Type', 'text/plain; charset=utf-8', 'Content-Length', `${body.length}`];
  fields.push(...(options.fields ?? []));
  if (retryAfter) fields.push('Retry-After', String(retryAfter));
  if (status === 405 || status === 204)
    fields.push('Allow', 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS');
  if (requestId !== undefined) fields.push('X-Request-Id', requestId);
  if (close) fields.push('Connection', 'close');
  return { status, reason: REASONS[status] ?? 'Error', fields, body };
}

/** Returns the text for a client: faults of an upstream are for the log alone. */
export function localMessage(status: number, reason: string): string {
  return `${status} ${REASONS[status]}${status >= 500 && status < 505 ? '' : `: ${reason}`}`;
}

function grpcReply(code: number, message: string, options: LocalReplyOptions) {
  const { requestId, close, grpcType = 'application/grpc' } = options;
  const fields = [
    ...['Content-Type', grpcType, 'Content-Length', '0'],
    ...grpcTrailers(code, message),
    ...(options.fields ?? []),
  ];
  if (requestId !== undefined) fields.push('X-Request-Id', requestId);
  if (close) fields.push('Connection', 'close');
  return { status: 200, reason: 'OK', fields, body: '' };
}

/** Returns the fields of a gRPC status. @param message printable ASCII. */
export function grpcTrailers(code: number, message: string): string[] {
  // A percent sign begins an escape in Grpc-Message.
  return ['Grpc-Status', String(code), 'Grpc-Message', message.replaceAll('%', '%25')];
}

/** Formats a local reply in HTTP/1.1. */
export function localReplyText(
  status: number,
  reason: string,
  options: LocalReplyOptions & { readonly head?: boolean } = {},
): string {
  const reply = localReply(status, reason, options);
  const head = responseText(reply.status, reply.reason, reply.fields);
  return options.head ? head : head + reply.body;
}
