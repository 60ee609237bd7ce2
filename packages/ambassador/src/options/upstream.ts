import { isIP } from 'node:net';
import { Broken, parseAddress, scalar, type Type } from '@sidekit/core';
import type { Upstream } from '../upstream/cluster.ts';

export type UpstreamOption = Upstream & {
  readonly scheme: 'http' | 'https' | 'h2c' | 'tcp' | 'tls' | 'unix';
};

const PORTS: Readonly<Record<string, number>> = { http: 80, https: 443, h2c: 80 };

/** `http://127.0.0.1:5000`, `https://api.example.com`, `h2c://127.0.0.1:50051`, `tcp://db:5432`, `tls://db:5432`, `unix:/run/app.sock`. */
export const upstream: Type<UpstreamOption> = scalar(
  'upstream',
  { type: 'string', pattern: '^((https?|h2c|tcp|tls)://[^/]+/?|unix:/.+)$' },
  (input) =>
    (typeof input === 'string' ? parseUpstream(input) : undefined) ??
    new Broken(faultOf(String(input)), EXAMPLES),
  formatUpstream,
);

const EXAMPLES =
  'write http://127.0.0.1:5000, https://HOST, h2c://HOST:PORT, tcp://HOST:PORT, tls://HOST:PORT or unix:/path';

/** Says what is wrong with an upstream that `parseUpstream` refuses. */
function faultOf(input: string): string {
  if (input.startsWith('unix:')) return 'must have an absolute path after unix:';
  const [, scheme, rest = ''] = /^([A-Za-z][\w+.-]*):\/\/(.*)$/s.exec(input) ?? [];
  if (scheme === undefined) return 'must begin with a scheme';
  if (!/^(https?|h2c|tcp|tls)$/.test(scheme))
    return 'must have one of the schemes http, https, h2c, tcp, tls';
  const [place = '', ...path] = rest.split('/');
  if (path.join('/') !== '') return 'must have no path: requests keep theirs';
  if (place.includes('@')) return 'must have no user or password';
  if (/[?#]/.test(place)) return 'must have no query';
  const [, host = place, port] = /^(\[.*\]|[^:]*)(?::([^:]*))?$/s.exec(place) ?? [];
  if (host === '' || host === '[]') return 'must have a host';
  if (port === undefined && PORTS[scheme] === undefined) return 'must have a port';
  if (port !== undefined && !(Number(port) >= 1 && Number(port) <= 65535))
    return 'must have a port from 1 to 65535';
  return 'must have a valid host: a name, an IPv4 address or an IPv6 address in brackets';
}

function parseUpstream(input: string): UpstreamOption | undefined {
  if (input.startsWith('unix:')) {
    const address = parseAddress(input);
    return address && 'path' in address
      ? { path: address.path, secure: false, scheme: 'unix' }
      : undefined;
  }
  const match = /^(https?|h2c|tcp|tls):\/\/([^/]+)\/?$/.exec(input);
  if (!match) return undefined;
  const scheme = match[1] as 'http' | 'https' | 'h2c' | 'tcp' | 'tls';
  const place = /:\d+$/.test(match[2]!) ? match[2]! : `${match[2]}:${PORTS[scheme] ?? 'none'}`;
  const address = parseAddress(place);
  if (!address || 'path' in address || address.host === undefined || address.port === 0)
    return undefined;
  if (!isIP(address.host) && !isName(address.host)) return undefined;
  return {
    host: address.host,
    port: address.port,
    secure: scheme === 'https' || scheme === 'tls',
    ...(scheme === 'h2c' ? { http2: true } : {}),
    scheme,
  };
}

/**
 * Whether text can be a name (RFC 1123 §2.1, and underscores): labels of 1 to 63 characters, 253 in total,
 * and no number at the end, which would make it a malformed IPv4 address.
 */
function isName(text: string): boolean {
  return text.length <= 253 && /^([\w-]{1,63}\.)*(?!\d+\.?$)[\w-]{1,63}\.?$/.test(text);
}

export function formatUpstream(value: UpstreamOption): string {
  if ('path' in value) return `unix:${value.path}`;
  const host = value.host.includes(':') ? `[${value.host}]` : value.host;
  return `${value.scheme}://${host}:${value.port}`;
}
