import { answerText } from './canonical-response.ts';

const REASONS: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  405: 'Method Not Allowed',
  408: 'Request Timeout',
  413: 'Content Too Large',
  417: 'Expectation Failed',
  429: 'Too Many Requests',
  431: 'Request Header Fields Too Large',
  501: 'Not Implemented',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
  505: 'HTTP Version Not Supported',
};

export interface OwnAnswerOptions {
  /** In seconds; 0 says nothing. */
  readonly retryAfter?: number;
  readonly requestId?: string;
  readonly close?: boolean;
}

/** An answer of the proxy itself; what it says is for people, and tells no secrets. */
export function ownAnswer(status: number, reason: string, options: OwnAnswerOptions = {}) {
  const { retryAfter, requestId, close } = options;
  // What went wrong with an upstream is in the log, not for every client.
  const shown = status >= 500 && status < 505 ? '' : `: ${reason}`;
  const body = `${status} ${REASONS[status]}${shown}\n`;
  const fields = ['Content-Type', 'text/plain; charset=utf-8', 'Content-Length', `${body.length}`];
  if (retryAfter) fields.push('Retry-After', String(retryAfter));
  if (status === 405) fields.push('Allow', 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS');
  if (requestId !== undefined) fields.push('X-Request-Id', requestId);
  if (close) fields.push('Connection', 'close');
  return { status, reason: REASONS[status] ?? 'Error', fields, body };
}

/** The same as text, for writing to a socket. */
export function ownAnswerText(
  status: number,
  reason: string,
  options: OwnAnswerOptions & { readonly head?: boolean } = {},
): string {
  const answer = ownAnswer(status, reason, options);
  const head = answerText(answer.status, answer.reason, answer.fields);
  return options.head ? head : head + answer.body;
}
