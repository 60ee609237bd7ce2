import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { Architecture } from './architecture.ts';
import { foreignPackage } from './npm-package.ts';

/** The directory of npm's `node` package: the Node that the images carry. */
function nodePackage(): string {
  return dirname(createRequire(import.meta.url).resolve('node/package.json'));
}

/** The version of Node in the images. */
export function nodeVersion(): string {
  return JSON.parse(readFileSync(join(nodePackage(), 'package.json'), 'utf8')).version;
}

/** The Node that runs here; for another architecture, the same version of it. */
export function nodeBinary(architecture: string = process.arch): string {
  if (architecture === process.arch) return join(nodePackage(), 'bin/node');
  return join(foreignNode(architecture as Architecture), 'bin/node');
}

/** Node's licence, which goes where its binary goes. */
export function nodeLicence(architecture: Architecture): string {
  const directory =
    architecture === process.arch
      ? join(nodePackage(), 'node_modules', `node-linux-${architecture}`)
      : foreignNode(architecture);
  return join(directory, 'LICENSE');
}

function foreignNode(architecture: Architecture): string {
  return foreignPackage(`node-linux-${architecture}`, nodeVersion());
}
