/**
 * `npm run packages`: writes the npm packages to `dist/npm`. `-- --publish` publishes them;
 * `-- --publish --dry-run` does everything but the upload.
 */
import { parseArgs } from 'node:util';
import { buildPackages } from './support/npm/build.ts';
import { heading, step } from './support/output.ts';
import { run } from './support/run.ts';

export async function main(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: { publish: { type: 'boolean' }, 'dry-run': { type: 'boolean' } },
  });
  heading('npm packages');
  const directories = await step('compile', () => buildPackages('dist/npm'));
  if (!values.publish) {
    for (const directory of directories) console.log(`  ${directory}`);
    return 0;
  }
  const flags = values['dry-run'] ? ['--dry-run'] : ['--provenance'];
  for (const cwd of directories)
    await step(`publish ${cwd}`, () =>
      run('npm', ['publish', '--access=public', ...flags], { cwd }),
    );
  return 0;
}
