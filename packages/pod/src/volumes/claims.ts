import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { ExpectedError } from '@sidekit/core/tool';

/** A claim of persistent storage that has a folder. */
export interface KeptClaim {
  readonly namespace: string;
  readonly name: string;
  readonly path: string;
}

/** A DNS subdomain (RFC 1123), as the names of claims and namespaces are. */
const NAME = /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/;

/**
 * Returns the folder of a PersistentVolumeClaim below the folder of all volumes. It outlives its
 * Pods, until `pod down --volumes`.
 * @throws {ExpectedError} for a name that is none: it would lead elsewhere.
 */
export function claimFolder(data: string, namespace: string, name: string): string {
  for (const one of [namespace, name]) {
    if (NAME.test(one) && !one.includes('..')) continue;
    throw new ExpectedError(`${JSON.stringify(one)} is not the name of a claim`);
  }
  return join(claimsRoot(data), namespace, name);
}

/** Creates a claim's folder. @returns whether it is new. */
export function makeClaim(path: string): boolean {
  if (existsSync(path)) return false;
  mkdirSync(path, { recursive: true, mode: 0o700 });
  return true;
}

/** Lists the claims that have a folder. */
export function keptClaims(data: string): KeptClaim[] {
  const root = claimsRoot(data);
  return list(root).flatMap((namespace) =>
    list(join(root, namespace)).map((name) => ({
      namespace,
      name,
      path: join(root, namespace, name),
    })),
  );
}

function claimsRoot(data: string): string {
  return join(data, 'claims');
}

function list(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder).toSorted() : [];
}
