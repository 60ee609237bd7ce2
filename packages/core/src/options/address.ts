import { isIPv6 } from 'node:net';
import { Broken } from '../schema/reader.ts';
import { scalar, type Type } from './type.ts';

/** An address to listen on or connect to: a TCP host and port, or the path of a Unix socket. */
export type Address =
  | { readonly host: string | undefined; readonly port: number }
  | { readonly path: string };

/**
 * `:8080` (all interfaces), `127.0.0.1:8080`, `[::1]:8080`, `unix:/run/app.sock`.
 * Port 0 asks the kernel for a free one.
 */
export const address: Type<Address> = scalar(
  'address',
  { type: 'string' },
  (input) =>
    (typeof input === 'string' ? parseAddress(input) : undefined) ??
    new Broken('must be an address', 'write :8080, 127.0.0.1:8080, [::1]:8080 or unix:/path'),
  formatAddress,
);

/** Reads an address; undefined if the text is none. */
export function parseAddress(text: string): Address | undefined {
  if (text.startsWith('unix:')) {
    const path = text.slice('unix:'.length);
    // sun_path of sockaddr_un(7) holds 108 bytes with its final NUL.
    const good = path.startsWith('/') && !path.includes('\0') && Buffer.byteLength(path) < 108;
    return good ? { path } : undefined;
  }
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9._-]*)):(\d{1,5})$/.exec(text);
  if (!match || (match[1] !== undefined && !isIPv6(match[1]))) return undefined;
  const port = Number(match[3]);
  return port <= 65_535 ? { host: match[1] ?? (match[2] || undefined), port } : undefined;
}

export function formatAddress(address: Address): string {
  if ('path' in address) return `unix:${address.path}`;
  const host = address.host ?? '';
  return `${host.includes(':') ? `[${host}]` : host}:${address.port}`;
}

/** The address in the form of `net.Server.listen` and `net.connect`. */
export function listenOptions(
  address: Address,
): { path: string } | { port: number; host?: string } {
  if ('path' in address) return { path: address.path };
  return address.host === undefined
    ? { port: address.port }
    : { port: address.port, host: address.host };
}
