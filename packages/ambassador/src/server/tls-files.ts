import { createSecureContext, type SecureContextOptions } from 'node:tls';
import { errorText, type Fault, readSmallFile, UsageError } from '@sidekit/core';
import type { ListenerOptions } from '../options/table.ts';

/** The largest file of certificates, in bytes. */
const LARGEST = 1024 * 1024;

/** The TLS files of a listener, read and checked. */
export interface TlsFiles {
  readonly server: (SecureContextOptions & { readonly requestCert: boolean }) | undefined;
  readonly client: SecureContextOptions;
}

const FILES = [
  'tlsCert',
  'tlsKey',
  'tlsClientCa',
  'upstreamCa',
  'upstreamCert',
  'upstreamKey',
] as const;

/** Lists the TLS files of a listener. */
export function tlsPaths(options: ListenerOptions): string[] {
  return FILES.map((key) => options[key]).filter((path) => path !== undefined);
}

/**
 * Reads the certificates and keys of a listener.
 * @throws {UsageError} that names each file that is missing or malformed.
 */
export function readTls(options: ListenerOptions): TlsFiles {
  const faults: Fault[] = [];
  const read = (key: (typeof FILES)[number]) => {
    const path = options[key];
    if (path === undefined) return undefined;
    try {
      return readSmallFile(path, LARGEST);
    } catch (error) {
      faults.push({ name: key, value: path, rule: `cannot be read (${errorText(error)})` });
      return undefined;
    }
  };
  const [cert, key, clientCa, ca, upstreamCert, upstreamKey] = FILES.map(read);
  const client: SecureContextOptions = {
    ...(ca ? { ca } : {}),
    ...(upstreamCert && upstreamKey ? { cert: upstreamCert, key: upstreamKey } : {}),
    minVersion: 'TLSv1.2',
  };
  const server =
    cert && key
      ? {
          cert,
          key,
          ...(clientCa ? { ca: clientCa } : {}),
          requestCert: clientCa !== undefined,
          minVersion: 'TLSv1.2' as const,
        }
      : undefined;
  for (const [name, context] of [
    ['tlsCert', server],
    ['upstreamCert', client],
  ] as const) {
    // Without files there is nothing to check.
    if (!context?.cert && !context?.ca) continue;
    if (faults.length > 0) continue;
    try {
      createSecureContext(context);
    } catch (error) {
      faults.push({
        name,
        value: options[name],
        rule: `is not valid for TLS (${errorText(error)})`,
        remedy: 'give PEM files of one certificate and its key',
      });
    }
  }
  if (faults.length > 0)
    throw new UsageError(
      faults.map((fault) => ({ ...fault, name: `${options.name}: ${fault.name}` })),
    );
  return { server, client };
}
