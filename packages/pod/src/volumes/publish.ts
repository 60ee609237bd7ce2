import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import type { VolumeFile } from './files.ts';

/**
 * Writes the files of a volume the way the kubelet does (AtomicWriter): a new directory beside
 * the old one, then one rename of the `..data` symlink, so that a reader sees the old files or the
 * new ones, never a mixture. The files themselves are links through `..data`.
 */
export function publishFiles(
  directory: string,
  files: readonly VolumeFile[],
  group?: number,
): void {
  mkdirSync(directory, { recursive: true, mode: 0o755 });
  const version = mkdtempSync(join(directory, '..version-'));
  chmodSync(version, 0o755);
  for (const { path, content, mode } of files) {
    const target = join(version, path);
    mkdirSync(dirname(target), { recursive: true, mode: 0o755 });
    writeFileSync(target, content, { mode });
    // fsGroup may read what its owner may, as the kubelet's ownership change gives.
    chmodSync(target, group === undefined ? mode : mode | ((mode & 0o700) >> 3));
    if (group !== undefined) chownSync(target, 0, group);
  }
  const data = join(directory, '..data');
  const old = linkTarget(data);
  const temporary = join(directory, '..data_tmp');
  rmSync(temporary, { force: true });
  symlinkSync(version.slice(directory.length + 1), temporary);
  renameSync(temporary, data);
  for (const top of new Set(files.map(({ path }) => path.split('/')[0] ?? path))) {
    if (!exists(join(directory, top))) symlinkSync(join('..data', top), join(directory, top));
  }
  if (old) rmSync(join(directory, old), { recursive: true, force: true });
}

/** An emptyDir: open to every container of the Pod, and to fsGroup where there is one. */
export function makeEmptyDirectory(directory: string, group?: number): void {
  mkdirSync(directory, { recursive: true });
  if (group !== undefined) chownSync(directory, 0, group);
  chmodSync(directory, group === undefined ? 0o777 : 0o2777);
}

function linkTarget(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}

function exists(path: string): boolean {
  try {
    lstatSync(path);
    return true;
  } catch {
    return false;
  }
}
