import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { build } from 'esbuild';
import type { Architecture } from './architecture.ts';
import type { ImageSpec } from './catalog.ts';
import { checkMachine } from './elf.ts';
import { lazyModules } from './lazy-modules.ts';
import { foreignPackage } from './npm-package.ts';

/** Writes the launcher, the bundled sidecar, its native binding and the licences into `directory`. */
export async function bundle(
  image: ImageSpec,
  directory: string,
  architecture: Architecture,
): Promise<void> {
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  const result = await build({
    entryPoints: [join('packages', image.name, 'src/main.ts')],
    outfile: join(directory, 'bundle.cjs'),
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node24',
    // What Node makes of a CommonJS module; the launcher runs it without a copy of the text.
    banner: { js: '(function (exports, require, module, __filename, __dirname) {' },
    footer: { js: '})' },
    minifySyntax: true,
    minifyWhitespace: true,
    plugins: [lazyModules],
    legalComments: 'none',
    metafile: true,
    logLevel: 'error',
    alias: { koffi: resolve('images/koffi.cjs') },
    // grpc-js loads it for channelz alone, which nobody asks for.
    external: ['./koffi.node', '@grpc/proto-loader'],
    write: false,
  });
  // A function has no place for a hashbang.
  const text = result.outputFiles[0]?.text ?? '';
  writeFileSync(join(directory, 'bundle.cjs'), text.replace(/^#!.*\n/, ''));
  writeFileSync(
    join(directory, 'licences.txt'),
    licences(Object.keys(result.metafile.inputs), image),
  );
  cpSync('images/launcher.cjs', join(directory, 'main.cjs'));
  if (image.native) {
    const binding = join(directory, 'koffi.node');
    cpSync(koffiBinding(architecture), binding);
    checkMachine(binding, architecture);
  }
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
  const found = inputs.flatMap(
    (path) => /^node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? [],
  );
  const names = new Set(image.native ? [...found, 'koffi'] : found);
  const texts = [...names].toSorted().map((name) => {
    const { version, license } = JSON.parse(
      readFileSync(join('node_modules', name, 'package.json'), 'utf8'),
    );
    return `${name} ${version} (${license})\n\n${licenceText(name)}`;
  });
  return [readFileSync('LICENSE', 'utf8'), ...texts].join(`\n${'-'.repeat(80)}\n`);
}

function licenceText(name: string): string {
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
      return readFileSync(join('node_modules', name, file), 'utf8');
    } catch {}
  }
  return '(the package carries no licence text)\n';
}
