import type { Generation } from './generation.ts';

interface DeletedFileLimits {
  readonly heldBytes: number;
  readonly heldAge: number;
  readonly now: () => number;
}

/**
 * Finds the deleted files that are held open for too long or are too large together, oldest
 * first: as long as their descriptors are held, the disk cannot be freed.
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
