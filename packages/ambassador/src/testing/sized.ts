import { propertyParameters } from '@sidekit/test-kit';

/**
 * Returns the size of a test: `short` in the unit tests, more with SIDEKIT_RUNS (a factor), `full`,
 * the size that is guaranteed, at most. SIDEKIT_RUNS=250 reaches it everywhere.
 */
export function sized(short: number, full: number): number {
  return Math.min(full, propertyParameters(short).numRuns ?? short);
}
