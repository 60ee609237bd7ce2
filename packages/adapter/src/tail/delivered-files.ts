import { statSync, unlinkSync } from 'node:fs';
import { factsOf } from './candidates.ts';
import type { Catalogue } from './catalogue.ts';
import type { LineConsumer } from './line-consumer.ts';

/**
 * Removes a rotated file of the adapter's own if all outputs have acknowledged everything in it.
 * @returns whether it is gone.
 */
export function removeIfDelivered(
  path: string,
  catalogue: Catalogue,
  consumers: readonly LineConsumer[],
): boolean {
  const stats = factsOf(() => statSync(path, { bigint: true, throwIfNoEntry: false }));
  if (!stats) return true;
  const generation = catalogue.generationOf(stats);
  const isDelivered = generation
    ? generation.isDelivered && generation.acked.offset >= stats.size
    : catalogue.isIgnored(stats);
  if (!isDelivered) return false;
  try {
    unlinkSync(path);
  } catch {
    // The directory cannot be written at the moment: the next delivery tries again.
    return false;
  }
  if (!generation) return true;
  for (const consumer of consumers) consumer.close(generation);
  catalogue.forget(generation);
  return true;
}
