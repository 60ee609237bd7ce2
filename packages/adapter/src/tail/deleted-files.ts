import type { Generation } from './generation.ts';

interface DeletedFileLimits {
  readonly heldBytes: number;
  readonly heldAge: number;
  readonly now: () => number;
}

/**
 * Drops deleted files that were kept open for too long or are too large together, oldest first:
 * the disk space is not freed while their descriptors are open.
 */
export function dropOverLimits(
  generations: Iterable<Generation>,
  { heldBytes, heldAge, now }: DeletedFileLimits,
  drop: (generation: Generation, cause: 'held-bytes' | 'held-age') => void,
): void {
  const held = [...generations]
    .filter(
      ({ fd, unlinkedAt, unread }) => fd !== undefined && unlinkedAt !== undefined && unread > 0,
    )
    .sort((a, b) => a.unlinkedAt! - b.unlinkedAt!);
  let total = 0;
  for (const { size } of held) total += size;
  for (const generation of held) {
    if (now() - generation.unlinkedAt! >= heldAge) drop(generation, 'held-age');
    else if (total > heldBytes) drop(generation, 'held-bytes');
    else continue;
    total -= generation.size;
  }
}
