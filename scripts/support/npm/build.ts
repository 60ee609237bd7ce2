import { cpSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../run.ts';
import {
  additionalFiles,
  LAUNCHER,
  PROGRAM,
  publishedManifest,
  publishedPackages,
  readManifest,
  repositoryAddress,
} from './manifest.ts';

/** Relative imports of declarations, which tsc leaves as they are: `./a.ts`. */
const RELATIVE_TS = /((?:from|import\()\s*['"]\.{1,2}\/[^'"]*)\.ts(['"])/g;

/**
 * Writes every published package as npm takes it to `directory/NAME`: compiled JavaScript,
 * declarations, schemas, README and licence, without tests.
 * @returns the directories.
 */
export async function buildPackages(directory: string): Promise<string[]> {
  const compiled = join(directory, '.compiled');
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(compiled, { recursive: true });
  const names = publishedPackages();
  await compile(compiled, names);
  const repository = repositoryAddress();
  return names.map((name) => {
    const target = join(directory, name);
    cpSync(join(compiled, name, 'src'), join(target, 'dist'), { recursive: true });
    const manifest = JSON.stringify(publishedManifest(name, repository), null, 2);
    writeFileSync(join(target, 'package.json'), `${manifest}\n`);
    if (Object.values(readManifest(name).bin ?? {}).includes(PROGRAM))
      writeFileSync(join(target, LAUNCHER), launcher(name));
    cpSync('LICENSE', join(target, 'LICENSE'));
    for (const file of ['README.md', ...additionalFiles(name)])
      cpSync(join('packages', name, file), join(target, file), { recursive: true });
    return target;
  });
}

/** Returns a program that even an old Node runs: it says which Node is needed, or starts the package's. */
function launcher(name: string): string {
  const wanted = readManifest(name).engines.node.replace('>=', '');
  return `#!/usr/bin/env node
if (Number.parseInt(process.versions.node, 10) < ${wanted}) {
  process.stderr.write(\`${name} needs Node ${wanted} or newer: this is Node \${process.versions.node}\\n\`);
  process.exitCode = 64;
} else await import('./main.js');
`;
}

async function compile(outDir: string, names: readonly string[]): Promise<void> {
  const config = 'tsconfig.packages.json';
  const tests = ['**/*.test.ts', '**/testing/**', '**/behaviour/**', '**/corpus/**'];
  const compilerOptions = {
    noEmit: false,
    allowJs: true,
    declaration: true,
    rewriteRelativeImportExtensions: true,
    rootDir: 'packages',
    outDir,
  };
  const include = names.map((name) => `packages/${name}/src`);
  try {
    writeFileSync(
      config,
      JSON.stringify({ extends: './tsconfig.json', compilerOptions, include, exclude: tests }),
    );
    await run('node_modules/.bin/tsc', ['-p', config]);
  } finally {
    rmSync(config, { force: true });
  }
  for (const path of globSync('**/*.d.ts', { cwd: outDir })) {
    const file = join(outDir, path);
    writeFileSync(file, readFileSync(file, 'utf8').replace(RELATIVE_TS, '$1.js$2'));
  }
}
