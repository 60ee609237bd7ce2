/** `npm run check`: types, format, lint and the import rule. */
import { importFaults } from './checks/import-rule.ts';
import { heading, step } from './support/output.ts';
import { run } from './support/run.ts';

export async function main(): Promise<number> {
  heading('Checks');
  await step('types (tsc)', () => run('node_modules/.bin/tsc', ['-p', '.']));
  await step('format and lint (biome)', () =>
    run('node_modules/.bin/biome', ['check', '--error-on-warnings', '.']),
  );
  await step('import rule', () => {
    const faults = importFaults('.');
    if (faults.length > 0) throw new Error(faults.join('\n'));
  });
  return 0;
}
