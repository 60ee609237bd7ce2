import type fc from 'fast-check';

/** The seed of `npm test`, so that a change fails by what it does and not by chance. */
const SHORT_SEED = '20261127';

/**
 * The parameters of every property: a number of runs, which the long suite raises (SIDEKIT_RUNS, a
 * factor), and a seed. In the long suite it is another one each time, which fast-check prints with
 * a failure; SIDEKIT_SEED sets it.
 */
export function propertyParameters(runs: number): fc.Parameters<unknown> {
  const { SIDEKIT_RUNS: factor } = process.env;
  const seed = process.env.SIDEKIT_SEED ?? (factor === undefined ? SHORT_SEED : undefined);
  return {
    numRuns: Math.ceil(runs * Number(factor ?? 1)),
    ...(seed === undefined ? {} : { seed: Number(seed) }),
  };
}
