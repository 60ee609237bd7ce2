/**
 * `npm run test:compose`: the Pod suite on the profiles of docker-compose.yml, by each compose that
 * is installed; needs Docker. `-- NAME…` only some.
 */
import { globSync } from 'node:fs';
import { basename } from 'node:path';
import { findEngine } from './support/engine.ts';
import { buildImages } from './support/images/build.ts';
import { dim, heading } from './support/output.ts';
import { succeeds } from './support/run.ts';
import { runTests } from './support/tests.ts';

/** The Pods that compose cannot run, with the reason. */
const UNSUPPORTED: Readonly<Record<string, string>> = {
  'job-with-sidecar': 'compose does not stop a sidecar when the main container has ended',
};

/** Both generations of the program. */
const PROGRAMS: readonly string[] = ['docker compose', 'docker-compose'];

export async function main(args: readonly string[]): Promise<number> {
  const engine = await findEngine('docker');
  const programs = [];
  for (const program of PROGRAMS) {
    const [command = '', ...words] = program.split(' ');
    if (await succeeds(command, [...words, 'version'])) programs.push(program);
  }
  if (programs.length === 0) throw new Error(`install ${PROGRAMS.join(' or ')} and try again`);
  heading('Images (docker)');
  await buildImages(engine);
  const files = globSync(['test/compose/*.test.ts', 'test/pods/*.test.ts'])
    .toSorted()
    .filter((file) => args.length === 0 || args.includes(basename(file, '.test.ts')))
    .filter((file) => !(basename(file, '.test.ts') in UNSUPPORTED));
  for (const [name, reason] of Object.entries(UNSUPPORTED)) {
    console.log(dim(`  not run: ${name}: ${reason}`));
  }
  let failed = 0;
  for (const program of programs) {
    heading(`Compose profiles (${program})`);
    const env = { POD_ENGINE: 'compose', COMPOSE: program };
    failed += await runTests(files, { concurrency: 1, env });
  }
  return failed === 0 ? 0 : 1;
}
