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
  readonly retryAfter?: number;
  readonly requestId?: string;
  readonly close?: boolean;
}

/** Builds a local reply: a response of the proxy itself. */
export function localReply(status: number, reason: string, options: LocalReplyOptions = {}) {
  const { retryAfter, requestId, close } = options;
  // Faults of an upstream are for the log, not for clients.
  const shown = status >= 500 && status < 505 ? '' : `: ${reason}`;
  const body = status === 204 ? '' : `${status} ${REASONS[status]}${shown}\n`;
  const fields =
    status === 204
      ? []
      : ['Content-Type', 'text/plain; charset=utf-8', 'Content-Length', `${body.length}`];
  if (retryAfter) fields.push('Retry-After', String(retryAfter));
  if (status === 405 || status === 204)
    fields.push('Allow', 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS');
  if (requestId !== undefined) fields.push('X-Request-Id', requestId);
  if (close) fields.push('Connection', 'close');
  return { status, reason: REASONS[status] ?? 'Error', fields, body };
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
