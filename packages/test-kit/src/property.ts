import type fc from 'fast-check';

/**
 * The parameters of every property: a seed that can be set (SIDEKIT_SEED) and is printed with a
 * failure by fast-check, and a number of runs that the long suite raises (SIDEKIT_RUNS, a factor).
 */
export function propertyParameters(runs: number): fc.Parameters<unknown> {
  const { SIDEKIT_SEED: seed, SIDEKIT_RUNS: factor } = process.env;
  return {
    numRuns: Math.ceil(runs * Number(factor ?? 1)),
    ...(seed === undefined ? {} : { seed: Number(seed) }),
  };
}
