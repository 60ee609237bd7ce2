import { propertyParameters } from '@sidekit/test-kit';

/**
 * How much of something a test does: `short` in the unit tests, more with SIDEKIT_RUNS (a factor),
 * and `full`, the size that is promised, at most. SIDEKIT_RUNS=250 reaches it everywhere.
 */
export function sized(short: number, full: number): number {
  return Math.min(full, propertyParameters(short).numRuns ?? short);
}
