/** `npm run check`: types, format, lint, the import rule, the shape of packages and wording. */
import { importFaults } from './checks/import-rule.ts';
import { rootFaults, sleepFaults } from './checks/package-shape.ts';
import { wordFaults } from './checks/words.ts';
import { heading, step } from './support/output.ts';
import { run } from './support/run.ts';

export async function main(): Promise<number> {
  heading('Checks');
  await step('types (tsc)', async () => {
    for (const project of ['.', 'packages/pod/page']) {
      await run('node_modules/.bin/tsc', ['-p', project]);
    }
  });
  await step('format and lint (biome)', () =>
    run('node_modules/.bin/biome', ['check', '--error-on-warnings', '.']),
  );
  await step('import rule', () => refuse(importFaults('.')));
  await step('shape of packages', () => refuse([...rootFaults('.'), ...sleepFaults('.')]));
  await step('words', () => refuse(wordFaults('.')));
  return 0;
}

function refuse(faults: readonly string[]) {
  if (faults.length > 0) throw new Error(faults.join('\n'));
}
