import { readFileSync } from 'node:fs';
import { totalmem } from 'node:os';

/** The file systems that the limit is read from; a test passes its own. */
export interface MemoryRoots {
  readonly cgroups: string;
  /** The cgroups of the process, as /proc/self/cgroup lists them. */
  readonly membership: string;
}

const ROOTS: MemoryRoots = { cgroups: '/sys/fs/cgroup', membership: '/proc/self/cgroup' };

/**
 * The memory limit of the container, in bytes: the least of its cgroup and all cgroups above, of
 * version 2 (`memory.max`) or 1 (`memory.limit_in_bytes`). Undefined if there is none below the
 * memory of the machine.
 */
export function memoryLimit({ cgroups, membership }: MemoryRoots = ROOTS): number | undefined {
  const limits: number[] = [];
  for (const line of read(membership).split('\n')) {
    const [, controllers = '', path = ''] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    const unified = controllers === '';
    if (!unified && !controllers.split(',').includes('memory')) continue;
    const [root, file] = unified
      ? [cgroups, 'memory.max']
      : [`${cgroups}/memory`, 'memory.limit_in_bytes'];
    // A container without a cgroup namespace sees the host's path, and its own files at the root.
    // By text: node:path is hot enough here for V8 to compile it, and its compiler takes 3 MiB.
    for (let at = path === '/' ? '' : path; ; at = at.slice(0, at.lastIndexOf('/'))) {
      limits.push(Number.parseInt(read(`${root}${at}/${file}`), 10));
      if (!at.includes('/')) break;
    }
  }
  // Version 1 writes "no limit" as a number near 2^63, version 2 as the word "max".
  const real = limits.filter((limit) => limit > 0 && limit < totalmem());
  return real.length > 0 ? Math.min(...real) : undefined;
}

export interface ShareOptions {
  /** The part of the container's limit, above 0 and at most 1. */
  readonly share: number;
  /** The size without a limit, and the largest, in bytes. */
  readonly most: number;
  /** The smallest size, in bytes. */
  readonly least: number;
}

/** Sizes a buffer by the container's memory limit, in bytes. */
export function sizeByMemory(
  { share, most, least }: ShareOptions,
  limit: number | undefined = memoryLimit(),
): number {
  if (limit === undefined) return most;
  return Math.max(least, Math.min(most, Math.floor(limit * share)));
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
