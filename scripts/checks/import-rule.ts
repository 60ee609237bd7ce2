/**
 * The import rule: sidecar → targets → posix-mq, shared-memory, core → Node and npm. Sidecars never import
 * each other, `test/` never imports package sources, what is imported is declared, and `process.env`,
 * `process.exit` and signal handlers appear only in main.ts files and in core.
 */
import { globSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join, normalize } from 'node:path';

const SHARED = ['core', 'posix-mq', 'shared-memory', 'targets'];
const PROCESS_GLOBALS = /\bprocess\.(env|exit|on|once)\b/;
const IMPORT =
  /(?:^|\n)\s*(?:import|export)[^'"`;]*?from\s*'([^']+)'|import\(\s*'([^']+)'\s*\)|(?:^|\n)import\s*'([^']+)'/g;

/** Returns every breach below `root`, as `path: sentence`. */
export function importFaults(root: string): string[] {
  const files = globSync('{packages/*/src,test}/**/*.ts', { cwd: root });
  return files.flatMap((path) => {
    const source = readFileSync(join(root, path), 'utf8');
    const declared = declaredDependencies(root, path);
    return fileFaults(path, source, declared).map((fault) => `${path}: ${fault}`);
  });
}

/** Returns the faults of one file; `declared` are the dependencies of its package. */
export function fileFaults(path: string, source: string, declared: ReadonlySet<string>): string[] {
  const faults: string[] = [];
  const owner = /^packages\/([^/]+)\//.exec(path)?.[1];
  const isTest = isTestCode(path);
  for (const specifier of specifiers(source)) {
    if (specifier.startsWith('.')) {
      const target = normalize(join(dirname(path), specifier));
      if (owner && !target.startsWith(`packages/${owner}/`))
        faults.push(`${specifier} leaves the package: import it by name`);
      if (!owner && target.startsWith('packages/'))
        faults.push(`${specifier}: test/ sees only images and manifests`);
      continue;
    }
    const name = packageName(specifier);
    if (specifier.startsWith('node:')) continue;
    if (builtinModules.includes(name))
      faults.push(`${specifier} is Node's: write node:${specifier}`);
    const sibling = /^@sidekit\/(.+)$/.exec(name)?.[1];
    if (sibling && !allowed(owner, sibling, isTest)) {
      faults.push(
        owner
          ? `${owner} must not import ${name}`
          : `${name}: test/ sees only images and manifests`,
      );
    }
    if (owner && !declared.has(name))
      faults.push(`${name} is not a dependency in its package.json`);
  }
  const free =
    owner === undefined ||
    owner === 'core' ||
    owner === 'test-kit' ||
    isTest ||
    path.endsWith('/src/main.ts');
  const used = free ? undefined : PROCESS_GLOBALS.exec(withoutComments(source))?.[0];
  if (used) faults.push(`${used} belongs in main.ts or core`);
  return faults;
}

function allowed(owner: string | undefined, sibling: string, isTest: boolean): boolean {
  if (sibling === 'test-kit') return owner === undefined || isTest;
  return owner !== undefined && owner !== 'core' && SHARED.includes(sibling);
}

export function specifiers(source: string): string[] {
  return [...withoutComments(source).matchAll(IMPORT)].flatMap(
    (match) => match[1] ?? match[2] ?? match[3] ?? [],
  );
}

function withoutComments(source: string): string {
  return source.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '');
}

function packageName(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}

/** Tests, and what only they use, may also have the development dependencies. */
function declaredDependencies(root: string, path: string): Set<string> {
  const own = /^packages\/[^/]+/.exec(path)?.[0];
  const forTests = isTestCode(path) || path.startsWith('packages/test-kit/');
  const manifests = [...(own ? [join(root, own)] : []), ...(forTests ? [root] : [])];
  const names = manifests.flatMap((directory) => {
    const manifest = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8'));
    const { dependencies = {}, devDependencies = {} } = manifest;
    return [...Object.keys(dependencies), ...(forTests ? Object.keys(devDependencies) : [])];
  });
  return new Set(names);
}

function isTestCode(path: string): boolean {
  return path.endsWith('.test.ts') || /\/(fixtures|testing|test-support)\//.test(path);
}
