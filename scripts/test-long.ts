/**
 * `npm run test:long`: the full form of the properties, kills, storms and matrices whose short form
 * `npm test` runs; hours. `-- PATTERN` only files that contain it.
 */
import { main as testUnit } from './test-unit.ts';

export function main(args: readonly string[]): Promise<number> {
  process.env.SIDEKIT_LONG = '1';
  process.env.SIDEKIT_RUNS ??= '20';
  return testUnit(args);
}
