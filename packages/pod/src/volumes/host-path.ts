import { closeSync, mkdirSync, openSync, type Stats, statSync } from 'node:fs';
import { ExpectedError } from '@sidekit/core/tool';
import type { Volume } from '../manifest/types.ts';

type HostPath = NonNullable<Volume['hostPath']>;

/** A path of the host is not what the manifest says; it may become that. */
export class HostPathError extends ExpectedError {}

/**
 * Checks a hostPath against its type, and creates it if its type says so (kubelet: host_path.go).
 * Without a type a missing folder is created, as container runtimes do.
 * @throws {HostPathError} if it is not of its type.
 */
export function checkHostPath({ path, type }: HostPath): void {
  const found = statSync(path, { throwIfNoEntry: false }) ?? create(path, type);
  if (found && (type === '' || isOf(found, type))) return;
  throw new HostPathError(
    `hostPath type check failed: ${path} is not a ${type.replace('OrCreate', '').toLowerCase()}`,
  );
}

function create(path: string, type: string): Stats | undefined {
  if (type === '' || type === 'DirectoryOrCreate')
    mkdirSync(path, { recursive: true, mode: 0o755 });
  if (type === 'FileOrCreate') closeSync(openSync(path, 'ax', 0o644));
  return statSync(path, { throwIfNoEntry: false });
}

function isOf(found: Stats, type: string): boolean {
  if (type.startsWith('Directory')) return found.isDirectory();
  if (type.startsWith('File')) return found.isFile();
  if (type === 'Socket') return found.isSocket();
  return type === 'CharDevice' ? found.isCharacterDevice() : found.isBlockDevice();
}
