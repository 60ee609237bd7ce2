/** `npm run test:unit`: every test beside the code; `-- PATTERN` only files that contain it. */
import { globSync } from 'node:fs';
import { ensureDebianPackages, TEST_PACKAGES } from './support/debian.ts';
import { ensureMessageQueues } from './support/mqueue.ts';
import { heading } from './support/output.ts';
import { bundlePrograms } from './support/programs.ts';
import { runTests } from './support/tests.ts';

export async function main(args: readonly string[]): Promise<number> {
  await ensureDebianPackages(TEST_PACKAGES, 'the counterparts of the tests');
  await ensureMessageQueues();
  heading('Unit tests');
  using programs = await bundlePrograms();
  // About half of their time they wait: for timers of the programs under test, and for their start.
  // Awaited here: the bundles are removed when this function returns.
  const env = { SIDEKIT_PROGRAMS: programs.path };
  return await runTests(unitTests(args), { concurrency: 4, env });
}

/**
 * Lists the test files beside the code whose paths contain all of the words. Those of scripts and
 * images come first: some of them take longest, and at the end would run alone.
 */
export function unitTests(words: readonly string[]): string[] {
  const files = ['{scripts,images}/**/*.test.ts', 'packages/*/src/**/*.test.ts'].flatMap(
    (pattern) => globSync(pattern).toSorted(),
  );
  return files.filter((file) => words.every((word) => file.includes(word)));
}
