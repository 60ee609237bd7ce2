import { join } from 'node:path';
import { build } from 'esbuild';
import { NODE_FLAGS } from '../../images/node-flags.ts';

/** The adapter as its image runs it: one bundled file, and the image's flags. */
export async function bundledAdapter(directory: string): Promise<string[]> {
  const outfile = join(directory, 'adapter.cjs');
  await build({
    entryPoints: ['packages/adapter/src/main.ts'],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node24',
    minifySyntax: true,
    logLevel: 'error',
  });
  return [process.execPath, ...NODE_FLAGS, outfile];
}
