/**
 * `npm run test:long`: the full form of the properties, kills, storms and matrices whose short form
 * `npm test` runs, the lifecycle, and every Pod as an ordinary user; hours. `-- PATTERN` only files
 * that contain it, and neither of the last two.
 */
import { globSync } from 'node:fs';
import { basename } from 'node:path';
import { findEngine } from './support/engine.ts';
import { podTests, testAsUser, testLifecycle, main as testPods } from './test-pods.ts';
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
  const codes = [code, kills.length === 0 ? 0 : await testPods(kills)];
  if (args.length === 0) {
    const engine = await findEngine(process.env.POD_ENGINE);
    const asUser = [...podTests(), 'test/lifecycle/rootless.test.ts'];
    codes.push(await testLifecycle(engine.name), (await testAsUser(engine, asUser)) ?? 0);
  }
  return Math.max(...codes);
}
