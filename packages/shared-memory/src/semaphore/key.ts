import { statSync } from 'node:fs';

/**
 * Derives a key from a file, as ftok(3) of the C library does: the low 16 bits of its inode, the
 * low 8 bits of its device, and `project`, 1 to 255. All sides name the same existing file; a
 * file that is replaced gives another key.
 */
export function ftok(path: string, project: number): number {
  if (!Number.isInteger(project) || project < 1 || project > 255)
    throw new RangeError(`the project ${project} must be a whole number from 1 to 255`);
  const { ino, dev } = statSync(path, { bigint: true });
  return (project << 24) | (Number(dev & 0xffn) << 16) | Number(ino & 0xffffn);
}

/**
 * Reads a key as people write it: decimal, hexadecimal as ipcs(1) shows it (`0x5eed`), or
 * `PATH:PROJECT` for `ftok`. Returns undefined for anything else. 0 (IPC_PRIVATE) is no key.
 */
export function parseSemaphoreKey(text: string): number | undefined {
  if (/^(0x[0-9a-f]{1,8}|[0-9]{1,10})$/i.test(text)) {
    const value = Number(text);
    return value >= 1 && value <= 0xffffffff ? value | 0 : undefined;
  }
  const [, path, project] = /^(\/.*):([0-9]{1,3})$/.exec(text) ?? [];
  if (path === undefined || Number(project) < 1 || Number(project) > 255) return undefined;
  try {
    return ftok(path, Number(project));
  } catch {
    return undefined;
  }
}

export function formatKey(key: number): string {
  return `0x${(key >>> 0).toString(16).padStart(8, '0')}`;
}
