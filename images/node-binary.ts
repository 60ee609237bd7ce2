import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** The Node of npm's `node` package: the one that the images carry where no registry is in reach. */
export function nodeBinary(): string {
  const require = createRequire(import.meta.url);
  return join(dirname(require.resolve('node/package.json')), 'bin/node');
}
