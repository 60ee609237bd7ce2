import { propertyParameters } from '@sidekit/test-kit';

/**
 * Returns the size of a test: `short` in the unit tests, more with SIDEKIT_RUNS (a factor), `full`,
 * the size that is guaranteed, at most. SIDEKIT_RUNS=250 reaches it everywhere.
 */
export function sized(short: number, full: number): number {
  return Math.min(full, propertyParameters(short).numRuns ?? short);
}

/**
 * Returns the size of a test whose full size takes minutes, not hours: then the long suite
 * (SIDEKIT_LONG) has it without a factor.
 */
export function longSized(short: number, full: number): number {
  return process.env.SIDEKIT_LONG === '1' ? full : sized(short, full);
}
