/**
 * `npm run test:docs`: every shell block of the documentation, its links, metrics, dashboard and
 * alerts. `POD_ENGINE=docker|podman|kube`; `-- --long` also what takes minutes.
 */
import { globSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { ensureDebianPackages } from './support/debian.ts';
import { findEngine } from './support/engine.ts';
import { buildImages } from './support/images/build.ts';
import { ensureMessageQueues } from './support/mqueue.ts';
import { heading } from './support/output.ts';
import { runTests } from './support/tests.ts';

/** The packages that the documentation's commands and checks need, each with its reason. */
const PACKAGES = [
  'git', // the README of git-server
  'iproute2', // the loopback device of the sandboxes
  'prometheus', // promtool
];

export async function main(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({ args: [...args], options: { long: { type: 'boolean' } } });
  await ensureDebianPackages(PACKAGES, 'the test of the documentation');
  await ensureMessageQueues();
  const { POD_ENGINE: wanted } = process.env;
  const env: Record<string, string> = values.long ? { SIDEKIT_DOCS: 'long' } : {};
  if (wanted === 'kube') env.POD_ENGINE = wanted;
  else {
    const engine = await findEngine(wanted);
    heading(`Images (${engine.name})`);
    await buildImages(engine);
    env.POD_ENGINE = engine.name;
  }
  heading('Documentation');
  return runTests(globSync('test/docs/*.test.ts').toSorted(), { concurrency: 2, env });
}
