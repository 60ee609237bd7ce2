import { retryAfter } from '@sidekit/core';
import { Failure } from '../failure.ts';
import type { Exchange } from './exchange.ts';
import { show } from './show.ts';

const REMEDIES: Readonly<Record<number, readonly [reason: string, remedy: string]>> = {
  401: ['unauthorized', 'the credentials are missing or wrong'],
  403: ['unauthorized', 'the credentials do not allow it'],
  407: ['proxy', 'the proxy needs a user and password: give them in its URL'],
  404: ['not_found', 'correct the URL'],
  410: ['not_found', 'correct the URL'],
  429: ['throttled', 'raise --interval'],
  503: ['unavailable', 'the server is overloaded or temporarily down'],
};

/** Explains an unexpected status, with its remedy; `hint` names the options for credentials. */
export function statusFailure({ status, headers, url }: Exchange, hint: string): Failure {
  const [reason, remedy] = REMEDIES[status] ?? [
    'http_status',
    status >= 500 ? 'check the log of the server' : 'correct the URL',
  ];
  const more = reason === 'unauthorized' ? `; check ${hint}` : '';
  return new Failure(reason, `${show(url)} answered ${status}: ${remedy}${more}`, {
    retryAfter: retryAfter(headers['retry-after']),
    status,
  });
}
