import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type BuildOptions, build } from 'esbuild';
import type { Architecture } from './architecture.ts';
import type { ImageSpec } from './catalog.ts';
import { checkMachine } from './elf.ts';
import { latePackages, lazyModules } from './lazy-modules.ts';
import { foreignPackage } from './npm-package.ts';

const OPTIONS = {
  bundle: true,
  platform: 'node',
  format: 'cjs',
  target: 'node24',
  // What Node makes of a CommonJS module; the launcher runs it without a copy of the text.
  banner: { js: '(function (exports, require, module, __filename, __dirname) {' },
  footer: { js: '})' },
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: 'none',
  metafile: true,
  logLevel: 'error',
  write: false,
} as const satisfies BuildOptions;

/** Writes the launcher, the bundled sidecar, its native binding and the licences into `directory`. */
export async function bundle(
  image: ImageSpec,
  directory: string,
  architecture: Architecture,
): Promise<void> {
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  const result = await build({
    ...OPTIONS,
    entryPoints: [join('packages', image.name, 'src/main.ts')],
    plugins: [lazyModules],
    alias: { koffi: resolve('images/koffi.cjs') },
    // grpc-js loads it for channelz alone, which nobody asks for.
    external: ['./koffi.node', '@grpc/proto-loader'],
  });
  const [output] = result.outputFiles;
  // A function has no place for a hashbang.
  const text = (output?.text ?? '').replace(/^#!.*\n/, '');
  writeFileSync(join(directory, 'bundle.cjs'), ascii(text));
  const inputs = Object.keys(result.metafile.inputs);
  for (const name of latePackages(result.metafile)) {
    inputs.push(...(await bundlePackage(name, directory)));
  }
  writeFileSync(join(directory, 'licences.txt'), licences(inputs, image));
  cpSync('images/launcher.cjs', join(directory, 'main.cjs'));
  if (image.native) {
    const binding = join(directory, 'koffi.node');
    cpSync(koffiBinding(architecture), binding);
    checkMachine(binding, architecture);
  }
}

/** Writes an npm package as one file. @returns the files that it is made of. */
async function bundlePackage(name: string, directory: string): Promise<string[]> {
  const contents = `module.exports = require(${JSON.stringify(name)});`;
  const result = await build({ ...OPTIONS, stdin: { contents, resolveDir: '.' } });
  writeFileSync(join(directory, `${name}.cjs`), ascii(result.outputFiles[0]?.text ?? ''));
  return Object.keys(result.metafile.inputs);
}

/**
 * Escapes what esbuild leaves in regular expressions, where it means the same: V8 keeps a text with
 * one character beyond Latin-1 as two bytes a character, 1 MiB more for file-writer.
 */
function ascii(text: string): string {
  return text.replace(
    /[^\0-\x7f]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** Returns the path of koffi's prebuilt binding for an architecture. */
function koffiBinding(architecture: Architecture): string {
  const name = `@koromix/koffi-linux-${architecture}`;
  const installed = join('node_modules', name);
  const { version } = JSON.parse(readFileSync('node_modules/koffi/package.json', 'utf8'));
  const directory = existsSync(installed) ? installed : foreignPackage(name, version);
  return join(directory, `linux_${architecture}/koffi.node`);
}

/** The licence texts of the npm packages that went into the bundle. */
function licences(inputs: readonly string[], image: ImageSpec): string {
  // A package of a version of its own is below the package that needs it.
  const found = inputs.flatMap(
    (path) => /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0] ?? [],
  );
  const directories = new Set(image.native ? [...found, 'node_modules/koffi'] : found);
  const texts = [...directories].toSorted().map((directory) => {
    const { name, version, license } = JSON.parse(
      readFileSync(join(directory, 'package.json'), 'utf8'),
    );
    return `${name} ${version} (${license})\n\n${licenceText(directory)}`;
  });
  return [readFileSync('LICENSE', 'utf8'), ...texts].join(`\n${'-'.repeat(80)}\n`);
}

function licenceText(directory: string): string {
  for (const file of [
    'LICENSE',
    'LICENSE.md',
    'LICENSE.txt',
    'LICENCE',
    'license',
    'license.md',
    'License',
  ]) {
    try {
      return readFileSync(join(directory, file), 'utf8');
    } catch {}
  }
  return '(the package carries no licence text)\n';
}
