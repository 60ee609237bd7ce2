import { createHash } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { ExpectedError } from '@sidekit/core/tool';
import type { VolumeFile } from './files.ts';

/**
 * Writes the files of a volume the way the kubelet does (AtomicWriter): a new directory next to
 * the old one, then one rename of the `..data` symlink, so that a reader sees the old files or the
 * new ones, never a mixture. The files themselves are links through `..data`.
 * @returns whether anything has changed.
 * @throws {ExpectedError} for a path that leads out of the volume.
 */
export function publishFiles(
  directory: string,
  files: readonly VolumeFile[],
  group?: number,
): boolean {
  for (const { path } of files) checkPath(path);
  mkdirSync(directory, { recursive: true, mode: 0o755 });
  const version = `..v-${digest(files)}`;
  const data = join(directory, '..data');
  const old = linkTarget(data);
  if (old === version) return false;
  writeVersion(join(directory, version), files, group);
  const temporary = join(directory, '..data_tmp');
  rmSync(temporary, { force: true });
  symlinkSync(version, temporary);
  renameSync(temporary, data);
  linkNames(directory, new Set(files.map(({ path }) => path.split('/')[0] ?? path)));
  if (old !== undefined && VERSION.test(old))
    rmSync(join(directory, old), { recursive: true, force: true });
  return true;
}

/** Manifests are validated before; the writer checks again (kubelet: validatePath in AtomicWriter). */
function checkPath(path: string) {
  const parts = path.split('/');
  const bad = parts.some((part) => part === '' || part === '.' || part === '..');
  if (!bad && !path.startsWith('..') && !path.includes('\0')) return;
  throw new ExpectedError(`${JSON.stringify(path)} is not a path inside a volume`);
}

const VERSION = /^\.\.v-[0-9a-f]+$/;

function digest(files: readonly VolumeFile[]): string {
  const hash = createHash('sha256');
  for (const { path, content, mode } of files) {
    hash.update(`${path}\0${mode}\0${content.length}\0`).update(content);
  }
  return hash.digest('hex').slice(0, 24);
}

function writeVersion(version: string, files: readonly VolumeFile[], group: number | undefined) {
  rmSync(version, { recursive: true, force: true });
  mkdirSync(version, { mode: 0o755 });
  for (const { path, content, mode } of files) {
    const target = join(version, path);
    mkdirSync(dirname(target), { recursive: true, mode: 0o755 });
    writeFileSync(target, content, { mode });
    // fsGroup may read every file of a volume (kubelet: SetVolumeOwnership's mask 0440).
    if (group !== undefined) chownSync(target, 0, group);
    chmodSync(target, group === undefined ? mode : mode | 0o440);
  }
}

/** Links of names that are gone would lead nowhere: they go, too. */
function linkNames(directory: string, names: ReadonlySet<string>) {
  for (const name of names) {
    if (!exists(join(directory, name))) symlinkSync(join('..data', name), join(directory, name));
  }
  for (const name of readdirSync(directory)) {
    if (!name.startsWith('..') && !names.has(name)) rmSync(join(directory, name), { force: true });
  }
}

function linkTarget(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}

function exists(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}
