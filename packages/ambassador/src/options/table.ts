import {
  commonOptions,
  defineOptions,
  list,
  type OptionValues,
  object,
  option,
  type Report,
  text,
} from '@sidekit/core';
import { checkAddresses } from './addresses.ts';
import { globalFields } from './global-fields.ts';
import { checkHeaderRules } from './header-rules.ts';
import { listenerFields } from './listener-fields.ts';
import { prefixOf, routes } from './routes.ts';

const routeField = {
  routes: option(routes, {
    description: 'Routes by host and path prefix; `upstream` is for all other requests.',
    default: [],
  }),
} as const;

/** One entry of `listeners`. */
const listener = object({
  name: option(
    text('name', {
      matches: /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/,
      rule: 'must be lower-case letters, digits and dashes',
      remedy: 'write a name such as web',
    }),
    {
      description: 'Names the listener in metrics and logs.',
      required: true,
    },
  ),
  ...listenerFields,
  ...routeField,
});

/** All options of the ambassador. */
export const table = defineOptions({
  command: 'ambassador',
  summary: 'A reverse proxy in front of the app, and a local endpoint for external services.',
  prefix: 'AMBASSADOR',
  options: {
    ...listenerFields,
    ...routeField,
    listeners: option(list(listener), {
      description: 'Several listeners, each with the options above and a `name`.',
      default: [],
    }),
    ...globalFields,
    ...commonOptions(':9901'),
  },
  examples: [
    [
      'ambassador --listen :8080 --upstream http://127.0.0.1:5000',
      'in front of the app of the Pod',
    ],
    [
      'ambassador --protocol tcp --direction outbound --listen 127.0.0.1:5432 --upstream tls://db.example.com:5432',
      'a local endpoint for a database over TLS',
    ],
  ],
  check: (values, _operands, report) => {
    const listeners = listenersOf(values, report);
    if (/^https?:\/\/[^/]*@/i.test(values.tracesEndpoint ?? ''))
      report({
        name: '--traces-endpoint',
        rule: 'must have no user or password',
        remedy: 'use a collector in between',
      });
    const prefix = (i: number) => (values.listeners.length > 0 ? `listeners[${i}].` : '--');
    const addressed = listeners.map(({ listen, upstream, routes: own }) => ({
      listen,
      upstream: [...upstream, ...own.flatMap((route) => route.upstream)],
    }));
    checkAddresses(
      { listeners: addressed, prefix, admin: values.admin, exposed: values.exposed },
      report,
    );
  },
});

export type Options = OptionValues<(typeof table)['options']>;
export type ListenerOptions = OptionValues<typeof listenerFields & typeof routeField> & {
  readonly name: string;
};

/** Lists the listeners of a configuration; faults go to `report`. */
export function listenersOf(values: Options, report: Report = () => {}): ListenerOptions[] {
  const single = values.listen !== undefined || values.upstream.length > 0;
  if (single && values.listeners.length > 0)
    report({
      name: 'listeners',
      rule: 'cannot be given together with --listen and --upstream',
      remedy: 'move the listener into the file',
    });
  if (!single && values.listeners.length === 0)
    report({
      name: '--listen',
      rule: 'is missing',
      remedy: 'give --listen :8080 --upstream http://127.0.0.1:5000, or listeners: in a file',
    });
  const all: ListenerOptions[] = single ? [{ ...values, name: 'main' }] : [...values.listeners];
  all.forEach((one, i) => {
    checkListener(one, single ? '--' : `listeners[${i}].`, report);
  });
  const names = all.map(({ name }) => name);
  names.forEach((name, i) => {
    if (names.indexOf(name) !== i)
      report({
        name: `listeners[${i}].name`,
        value: name,
        rule: 'is taken by another listener',
        remedy: 'write another name',
      });
  });
  return all;
}

function checkListener(one: ListenerOptions, prefix: string, report: Report) {
  const fault = (key: string, rule: string, remedy: string) => {
    const name =
      prefix === '--'
        ? `--${key.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`)}`
        : `${prefix}${key}`;
    report({ name, rule, remedy });
  };
  if (one.listen === undefined) fault('listen', 'is missing', 'give an address such as :8080');
  if (one.upstream.length === 0 && one.routes.length === 0)
    fault('upstream', 'is missing', 'give one such as http://127.0.0.1:5000');
  const schemes =
    one.protocol === 'tcp' ? ['tcp', 'tls', 'unix'] : ['http', 'https', 'h2c', 'unix'];
  one.upstream.forEach((upstream) => {
    if (!schemes.includes(upstream.scheme))
      fault(
        'upstream',
        `must have one of the schemes ${schemes.join(', ')} with protocol ${one.protocol}`,
        one.protocol === 'tcp' ? 'write tcp://HOST:PORT' : 'set protocol to tcp, or write http://',
      );
  });
  if (one.healthGrpcService !== undefined && !one.upstream.every(isHttp2))
    fault('healthGrpcService', 'needs upstreams with the scheme h2c or https', WRITE_H2C);
  checkWebOrigins(one, fault);
  if (one.proxyProtocol.length > 0 && one.listen !== undefined && 'path' in one.listen)
    fault(
      'proxyProtocol',
      'needs a TCP address to listen on, since balancers are known by address',
      'listen on :8080',
    );
  checkRoutes(one, prefix, report);
  checkHeaderRules(one.requestHeaders, `${prefix}requestHeaders`, report);
  checkHeaderRules(one.responseHeaders, `${prefix}responseHeaders`, report);
  if (one.clientNames.length > 0 && one.tlsClientCa === undefined)
    fault('clientNames', 'needs tlsClientCa, which verifies the names', 'give tlsClientCa');
  if ((one.tlsCert === undefined) !== (one.tlsKey === undefined))
    fault(
      one.tlsCert === undefined ? 'tlsCert' : 'tlsKey',
      'is missing',
      'a certificate and its key go together',
    );
  if (one.tlsClientCa !== undefined && one.tlsCert === undefined)
    fault('tlsClientCa', 'needs tlsCert and tlsKey', 'give both');
  if ((one.upstreamCert === undefined) !== (one.upstreamKey === undefined))
    fault(
      one.upstreamCert === undefined ? 'upstreamCert' : 'upstreamKey',
      'is missing',
      'a certificate and its key go together',
    );
}

const WRITE_H2C = 'write h2c://HOST:PORT';

function isHttp2({ scheme }: { readonly scheme: string }): boolean {
  return scheme === 'h2c' || scheme === 'https';
}

/** Refuses origins that no upstream, of the listener or of a route, can serve by gRPC-Web. */
function checkWebOrigins(
  { grpcWebOrigins, upstream, routes }: ListenerOptions,
  fault: (key: string, rule: string, remedy: string) => void,
) {
  const all = [upstream, ...routes.map((route) => route.upstream)];
  const served = all.some((one) => one.length > 0 && one.every(isHttp2));
  if (grpcWebOrigins.length > 0 && !served)
    fault(
      'grpcWebOrigins',
      'needs upstreams with the scheme h2c or https, which gRPC takes',
      WRITE_H2C,
    );
}

function checkRoutes({ routes: all, protocol }: ListenerOptions, prefix: string, report: Report) {
  if (all.length > 0 && protocol === 'tcp')
    report({
      name: `${prefix}routes`,
      rule: 'needs protocol http',
      remedy: 'remove protocol: tcp',
    });
  const seen = new Set<string>();
  all.forEach((route, i) => {
    const at = `${prefix}routes[${i}]`;
    if (route.upstream.some(({ scheme }) => scheme === 'tcp' || scheme === 'tls'))
      report({
        name: `${at}.upstream`,
        rule: 'must have one of the schemes http, https, h2c, unix',
        remedy: 'write http://HOST:PORT',
      });
    if (route.healthGrpcService !== undefined && !route.upstream.every(isHttp2))
      report({
        name: `${at}.healthGrpcService`,
        rule: 'needs upstreams with the scheme h2c or https',
        remedy: WRITE_H2C,
      });
    const key = `${route.host ?? ''} ${prefixOf(route)}`;
    if (seen.has(key))
      report({
        name: at,
        rule: 'has the host and prefix of an earlier route',
        remedy: 'remove one of them, or give both upstreams to one route',
      });
    seen.add(key);
    checkHeaderRules(route.requestHeaders ?? [], `${at}.requestHeaders`, report);
    checkHeaderRules(route.responseHeaders ?? [], `${at}.responseHeaders`, report);
  });
}
