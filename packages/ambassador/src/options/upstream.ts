import { Broken, parseAddress, scalar, type Type } from '@sidekit/core';
import type { Upstream } from '../upstream/cluster.ts';

export type UpstreamOption = Upstream & {
  readonly scheme: 'http' | 'https' | 'tcp' | 'tls' | 'unix';
};

const PORTS: Readonly<Record<string, number>> = { http: 80, https: 443 };

/** `http://127.0.0.1:5000`, `https://api.example.com`, `tcp://db:5432`, `tls://db:5432`, `unix:/run/app.sock`. */
export const upstream: Type<UpstreamOption> = scalar(
  'upstream',
  { type: 'string', pattern: '^((https?|tcp|tls)://[^/]+/?|unix:/.+)$' },
  (input) =>
    (typeof input === 'string' ? parseUpstream(input) : undefined) ??
    new Broken(
      'must be an upstream without a path',
      'write http://127.0.0.1:5000, https://HOST, tcp://HOST:PORT, tls://HOST:PORT or unix:/path',
    ),
  formatUpstream,
);

function parseUpstream(input: string): UpstreamOption | undefined {
  if (input.startsWith('unix:')) {
    const address = parseAddress(input);
    return address && 'path' in address
      ? { path: address.path, secure: false, scheme: 'unix' }
      : undefined;
  }
  const match = /^(https?|tcp|tls):\/\/([^/]+)\/?$/.exec(input);
  if (!match) return undefined;
  const scheme = match[1] as 'http' | 'https' | 'tcp' | 'tls';
  const place = /:\d+$/.test(match[2]!) ? match[2]! : `${match[2]}:${PORTS[scheme] ?? 'none'}`;
  const address = parseAddress(place);
  if (!address || 'path' in address || address.host === undefined || address.port === 0)
    return undefined;
  return {
    host: address.host,
    port: address.port,
    secure: scheme === 'https' || scheme === 'tls',
    scheme,
  };
}

export function formatUpstream(value: UpstreamOption): string {
  if ('path' in value) return `unix:${value.path}`;
  const host = value.host.includes(':') ? `[${value.host}]` : value.host;
  return `${value.scheme}://${host}:${value.port}`;
}
