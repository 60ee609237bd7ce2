import { closeSync, readFileSync } from 'node:fs';
import type { Generation } from './generation.ts';

/** Descriptors that are left for connections, the state and outputs. */
const RESERVED = 64;

/**
 * Returns how many log files may be open at a time: what the process may have, less those for
 * everything else.
 */
export function mostOpenFiles(): number {
  let limit = Number.NaN;
  try {
    limit = Number(/^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1]);
  } catch {
    // There is no /proc, or nothing to limit.
  }
  return limit > 0 ? Math.max(8, limit - RESERVED) : Number.POSITIVE_INFINITY;
}

/**
 * Closes files to make room for others, the longest idle first: those of which everything was
 * read and delivered. They are opened again when they grow.
 * @returns how many more may be opened.
 */
export function makeRoom(generations: Iterable<Generation>, most: number): number {
  const open = [...generations].filter(({ fd }) => fd !== undefined);
  if (open.length < most) return most - open.length;
  const idle = open
    .filter(({ unread, isDelivered, copy, detached }) => {
      return unread === 0 && isDelivered && copy === undefined && !detached;
    })
    .sort((a, b) => a.grownAt - b.grownAt)
    .slice(0, Math.max(1, Math.ceil(most / 8)));
  for (const generation of idle) {
    closeSync(generation.fd!);
    generation.fd = undefined;
    generation.isClosedForRoom = true;
  }
  return idle.length;
}
