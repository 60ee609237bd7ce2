/**
 * `npm run test:long`: the full form of the properties, kills, storms and matrices whose short form
 * `npm test` runs; hours. `-- PATTERN` only files that contain it.
 */
import { globSync } from 'node:fs';
import { basename } from 'node:path';
import { main as testPods } from './test-pods.ts';
import { main as testUnit, unitTests } from './test-unit.ts';

export async function main(args: readonly string[]): Promise<number> {
  process.env.SIDEKIT_LONG = '1';
  process.env.SIDEKIT_RUNS ??= '20';
  const kills = globSync('test/kills/*.test.ts')
    .filter((file) => args.every((word) => file.includes(word)))
    .map((file) => basename(file, '.test.ts'));
  // A word may name a test with containers alone.
  const noUnit = kills.length > 0 && unitTests(args).length === 0;
  const code = noUnit ? 0 : await testUnit(args);
  return kills.length === 0 ? code : (await testPods(kills)) || code;
}
