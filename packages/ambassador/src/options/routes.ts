import { boolean, list, type Option, type OptionValues, object, option, text } from '@sidekit/core';
import { listenerFields } from './listener-fields.ts';
import { upstream } from './upstream.ts';

/** An option of the listener that a route may set for itself. */
function inherited<V>({
  type,
  description,
  secret,
}: Option<V>): Option<NonNullable<V> | undefined> {
  return option(type, { description, ...(secret ? { secret } : {}) });
}

const routeFields = {
  host: option(
    text('host', {
      matches: /^(\*\.)?[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/,
      rule: 'must be a host in lower case, or *. and a domain',
      remedy: 'write app.example.com or *.example.com, or leave it out for any host',
    }),
    { description: 'Only requests for this host, or with `*.example.com` for all below a domain.' },
  ),
  prefix: option(
    text('path', { matches: /^\/[!-~]*$/, rule: 'must be a path', remedy: 'write /api' }),
    {
      description: 'Only paths that begin with these complete segments.',
      default: '/',
    },
  ),
  stripPrefix: option(boolean, {
    description: 'Removes the prefix, and sends it as `X-Forwarded-Prefix`.',
    default: false,
  }),
  upstream: option(list(upstream), { description: 'The upstreams of the route.', required: true }),
  hostHeader: inherited(listenerFields.hostHeader),
  connectTimeout: inherited(listenerFields.connectTimeout),
  responseTimeout: inherited(listenerFields.responseTimeout),
  streamIdleTimeout: inherited(listenerFields.streamIdleTimeout),
  totalTimeout: inherited(listenerFields.totalTimeout),
  retryConnectFor: inherited(listenerFields.retryConnectFor),
  retryBudget: inherited(listenerFields.retryBudget),
  idempotent: inherited(listenerFields.idempotent),
  maxUpstreamConnections: inherited(listenerFields.maxUpstreamConnections),
  maxPending: inherited(listenerFields.maxPending),
  maxBody: inherited(listenerFields.maxBody),
  rateLimit: inherited(listenerFields.rateLimit),
  rateBurst: inherited(listenerFields.rateBurst),
  healthPath: inherited(listenerFields.healthPath),
  healthGrpcService: inherited(listenerFields.healthGrpcService),
  healthInterval: inherited(listenerFields.healthInterval),
  requestHeaders: inherited(listenerFields.requestHeaders),
  responseHeaders: inherited(listenerFields.responseHeaders),
} as const;

export const routes = list(object(routeFields));

export type RouteOptions = OptionValues<typeof routeFields>;

/** Returns the prefix as the route table has it. */
export function prefixOf({ prefix }: RouteOptions): string {
  return prefix.replace(/\/$/, '');
}
