/** `npm run page`: bundles the page of `pod view` into packages/pod/assets, which the package serves. */
import { copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';

const PAGE = 'packages/pod/page';

export async function main(): Promise<number> {
  await buildPage('packages/pod/assets');
  return 0;
}

/** Bundles the page into a directory. */
export async function buildPage(directory: string): Promise<void> {
  mkdirSync(directory, { recursive: true });
  copyFileSync(join(PAGE, 'index.html'), join(directory, 'index.html'));
  await build({
    entryPoints: [
      { in: join(PAGE, 'main.ts'), out: 'page' },
      { in: join(PAGE, 'page.css'), out: 'page' },
    ],
    outdir: directory,

    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    legalComments: 'none',
    logLevel: 'error',
  });
}
