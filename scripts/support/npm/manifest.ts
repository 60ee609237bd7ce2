import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';

/** The part of a package.json that is read. */
export interface PackageManifest {
  readonly name: string;
  readonly version: string;
  readonly description: string;
  readonly keywords?: readonly string[];
  readonly license: string;
  readonly type: 'module';
  readonly engines: { readonly node: string };
  readonly os?: readonly string[];
  readonly sideEffects?: boolean;
  readonly bin?: Readonly<Record<string, string>>;
  readonly exports?: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  /** Only packages that have it are published. */
  readonly publishConfig?: object;
}

/** Returns the directory names of the packages that are published. */
export function publishedPackages(): string[] {
  return globSync('packages/*/package.json')
    .map((path) => basename(join(path, '..')))
    .filter((name) => readManifest(name).publishConfig !== undefined)
    .toSorted();
}

export function readManifest(name: string): PackageManifest {
  return JSON.parse(readFileSync(join('packages', name, 'package.json'), 'utf8'));
}

/** A program that is TypeScript; an older Node could not parse what it is compiled to. */
export const PROGRAM = './src/main.ts';
/** Starts such a program in its package, on a Node that can run it. */
export const LAUNCHER = './dist/launch.js';

/** Returns the package.json of the published package, whose code is compiled to `dist/`. */
export function publishedManifest(name: string, repository: string): object {
  const manifest = readManifest(name);
  const exports = Object.entries(manifest.exports ?? {})
    .filter(([, path]) => !path.includes('/testing/'))
    .map(([key, path]) => [
      key,
      { types: compiled(path, '.d.ts'), default: compiled(path, '.js') },
    ]);
  const bin = Object.entries(manifest.bin ?? {}).map(([key, path]) => [
    key,
    path === PROGRAM ? LAUNCHER : path.replace('./src/', './dist/'),
  ]);
  const { keywords, os, sideEffects, publishConfig, license, engines, dependencies } = manifest;
  return {
    name: manifest.name,
    version: manifest.version,
    description: manifest.description,
    keywords,
    license,
    repository: { type: 'git', url: `git+${repository}.git`, directory: `packages/${name}` },
    homepage: `${repository}/tree/main/packages/${name}#readme`,
    bugs: `${repository}/issues`,
    type: manifest.type,
    engines,
    os,
    sideEffects,
    ...(bin.length > 0 ? { bin: Object.fromEntries(bin) } : {}),
    exports: { ...Object.fromEntries(exports), './package.json': './package.json' },
    files: ['dist', ...additionalFiles(name)],
    dependencies,
    publishConfig,
  };
}

/** Schemas and C headers of a package, as far as it has them. */
export function additionalFiles(name: string): string[] {
  return globSync(['*schema.json', 'include'], { cwd: join('packages', name) }).toSorted();
}

function compiled(path: string, extension: string): string {
  return path.replace('./src/', './dist/').replace(/\.ts$/, extension);
}

/** The repository's address: that of the workflow, or the one in package.json. */
export function repositoryAddress(): string {
  const { GITHUB_SERVER_URL: server, GITHUB_REPOSITORY: name } = process.env;
  if (server !== undefined && name !== undefined) return `${server}/${name}`;
  const { repository } = JSON.parse(readFileSync('package.json', 'utf8'));
  if (typeof repository !== 'string') throw new Error('package.json has no repository');
  return repository;
}
