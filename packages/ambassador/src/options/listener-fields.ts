import {
  address,
  boolean,
  choice,
  duration,
  integer,
  list,
  number,
  option,
  path,
  size,
  text,
} from '@sidekit/core';
import { headerRules } from './header-rules.ts';
import { network } from './network.ts';
import { upstream } from './upstream.ts';

/** The options of a listener: on the command line for a single one, in a file for many. */
export const listenerFields = {
  listen: option(address, {
    description: 'The address to listen on: `:8080`, `127.0.0.1:5432` or `unix:/run/x.sock`.',
  }),
  upstream: option(list(upstream), {
    description:
      'The upstream: `http://`, `https://`, `h2c://` (HTTP/2 in cleartext), `tcp://`, `tls://` with host and port, or `unix:/path`; several are load-balanced.',
    default: [],
  }),
  protocol: option(choice('http', 'tcp'), {
    description: 'The protocol of the clients: HTTP/1.1 and HTTP/2, or any protocol over TCP.',
    default: 'http',
  }),
  direction: option(choice('inbound', 'outbound'), {
    description:
      '`outbound` listeners, which the app of the Pod uses, continue to accept during a stop while they are in use.',
    default: 'inbound',
  }),
  balance: option(choice('least-pending', 'round-robin'), {
    description: 'How endpoints are selected: the less busy of two at random, or in turn.',
    default: 'least-pending',
  }),
  hostHeader: option(
    text('host', { matches: /^[A-Za-z0-9._:[\]-]{1,255}$/, rule: 'must be a host' }),
    {
      description:
        "Send this Host upstream instead of the client's; most external services need it.",
    },
  ),
  trustedProxies: option(list(network), {
    description:
      'Peers whose forwarding fields are kept and added to, as CIDR; those of others are replaced.',
    default: [],
  }),
  proxyProtocol: option(list(network), {
    description:
      'Balancers, as CIDR, that send the PROXY protocol (version 1 or 2): then each connection must come from one of them and begin with its head; others are closed.',
    default: [],
  }),
  headersTimeout: option(duration(10, 600_000), {
    description: 'How long a client may take for a request head.',
    default: 10_000,
  }),
  keepAliveTimeout: option(duration(10, 3_600_000), {
    description: "How long a client's connection may be idle.",
    default: 75_000,
  }),
  connectTimeout: option(duration(10, 600_000), {
    description: 'How long a connect to the upstream may take, TLS included.',
    default: 5000,
  }),
  responseTimeout: option(duration(10, 86_400_000), {
    description: 'How long the upstream may take to begin its response.',
    default: 60_000,
  }),
  streamIdleTimeout: option(duration(10, 86_400_000), {
    description: 'How long a stream, an upgrade or a TCP connection may be without data.',
    default: 300_000,
  }),
  totalTimeout: option(duration(0, 86_400_000), {
    description: 'How long a request may take in total, retries included; 0 sets no limit.',
    default: 0,
  }),
  upstreamIdleTimeout: option(duration(10, 3_600_000), {
    description:
      "How long an idle upstream connection is kept for the next request; keep it below the upstream's own timeout.",
    default: 4000,
  }),
  upstreamMaxLifetime: option(duration(100, 86_400_000), {
    description: 'The greatest age of an upstream connection.',
    default: 300_000,
  }),
  retryConnectFor: option(duration(0, 600_000), {
    description:
      'How long failed connects are retried; counted once for an endpoint that stays unreachable.',
    default: 2000,
  }),
  retryBudget: option(number(0, 1), {
    description: 'Retries of sent requests, as a share of all requests.',
    default: 0.2,
  }),
  idempotent: option(boolean, {
    description:
      'Any request may be served twice, gRPC calls too: then lost requests of all methods are repeated, and calls with the status UNAVAILABLE.',
    default: false,
  }),
  maxConnections: option(integer(1, 1_000_000), {
    description: 'Concurrent client connections; more are closed.',
    default: 10_000,
  }),
  maxUpstreamConnections: option(integer(1, 1_000_000), {
    description: 'Concurrent connections to an endpoint.',
    default: 1024,
  }),
  maxPending: option(integer(0, 1_000_000), {
    description: 'Requests that may wait for a connection to an endpoint; more get 503.',
    default: 1024,
  }),
  maxBody: option(size(0), { description: 'The largest request body.', default: 1024 ** 4 }),
  rateLimit: option(number(0.001, 1e9), {
    description: 'Requests per second on average; more get 429.',
  }),
  rateBurst: option(integer(1, 1e9), {
    description: 'Requests that may exceed the rate in a burst.',
    default: 100,
  }),
  clientRateLimit: option(number(0.001, 1e9), {
    description: 'Requests per second of one client on average; more get 429.',
  }),
  clientRateBurst: option(integer(1, 1e9), {
    description: 'Requests of one client that may exceed its rate in a burst.',
    default: 20,
  }),
  clientRateHeader: option(
    text('field name', {
      matches: /^[!#$%&'*+.^`|~0-9A-Za-z-]{1,128}$/,
      rule: 'must be a field name',
    }),
    {
      description:
        'Tells clients apart by the last value of this field of trusted proxies, such as `X-Forwarded-For`, instead of their address.',
    },
  ),
  maxHeadSize: option(size(1024), {
    description: 'The largest request or response head, up to 1MiB.',
    default: 16 * 1024,
  }),
  maxFields: option(integer(16, 2000), {
    description: 'The most fields of a request or response.',
    default: 128,
  }),
  requestHeaders: option(headerRules, {
    description: 'Sets, adds or removes fields of requests, in this order.',
    default: [],
    secret: true,
  }),
  responseHeaders: option(headerRules, {
    description: 'Sets, adds or removes fields of responses, in this order.',
    default: [],
    secret: true,
  }),
  ejectAfter: option(integer(1, 1_000_000), {
    description: 'Failures in a row after which an endpoint is ejected for a while.',
    default: 5,
  }),
  ejectFor: option(duration(10, 86_400_000), {
    description: 'How long the first ejection lasts; later ones are longer.',
    default: 10_000,
  }),
  healthPath: option(
    text('path', { matches: /^\/[!-~]*$/, rule: 'must be a path', remedy: 'write /healthz' }),
    {
      description: 'The path of the health check of each endpoint, with GET; 200–399 is healthy.',
    },
  ),
  healthGrpcService: option(
    text('service', { matches: /^[\w./-]{0,256}$/, rule: 'must be the name of a service' }),
    {
      description:
        "Checks the health by `grpc.health.v1` of this service (`h2c://` and `https://`); an empty name is the whole server's.",
    },
  ),
  healthInterval: option(duration(0, 3_600_000), {
    description:
      'Time between two health checks; without `healthPath` a connect is the check; 0 disables them.',
    default: 0,
  }),
  healthTimeout: option(duration(10, 600_000), {
    description: 'How long a health check may take.',
    default: 1000,
  }),
  dnsRefresh: option(duration(100, 86_400_000), {
    description: "Time between two DNS lookups of an upstream's name.",
    default: 10_000,
  }),
  warmConnections: option(integer(0, 1000), {
    description: 'Upstream connections opened in advance (`tcp` only).',
    default: 0,
  }),
  tlsCert: option(path, {
    description: 'PEM certificate chain for TLS from clients; reloaded when it changes.',
  }),
  tlsKey: option(path, { description: 'PEM key of `tlsCert`.' }),
  tlsClientCa: option(path, {
    description: 'PEM certificate authorities of client certificates, which are then required.',
  }),
  clientNames: option(
    list(
      text('name', {
        matches: /^(DNS|URI|email|IP Address):[!-~]{1,2048}$/,
        rule: 'must be a subject alternative name',
        remedy: 'write DNS:NAME or URI:spiffe://DOMAIN/PATH',
      }),
    ),
    {
      description:
        'Subject alternative names of client certificates that are allowed, such as `URI:spiffe://example.org/ns/shop/sa/web`; others get 403. All are allowed by default.',
      default: [],
    },
  ),
  grpcWebOrigins: option(
    list(
      text('origin', {
        matches: /^https?:\/\/[a-z0-9.-]{1,253}(:\d{1,5})?$/,
        rule: 'must be an origin: a scheme, a host in lower case, and a port if it is not the default',
        remedy: 'write https://app.example.com',
      }),
    ),
    {
      description:
        'Origins whose pages may call `h2c://` and `https://` upstreams by gRPC-Web (CORS), without credentials. Calls to `https://` upstreams are translated only if there are any.',
      default: [],
    },
  ),
  upstreamCa: option(path, {
    description:
      "PEM certificate authorities to trust for TLS to the upstream, instead of the system's.",
  }),
  upstreamCert: option(path, { description: 'PEM client certificate for the upstream.' }),
  upstreamKey: option(path, { description: 'PEM key of `upstreamCert`.' }),
  upstreamServerName: option(
    text('name', { matches: /^[A-Za-z0-9._-]{1,253}$/, rule: 'must be a host name' }),
    {
      description: "The name that the upstream's certificate must contain; its host by default.",
    },
  ),
} as const;
