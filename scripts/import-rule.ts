/**
 * The import rule: sidecar → posix-mq, core → Node and npm. Sidecars never import each other,
 * `test/` never imports package sources, what is imported is declared, and `process.env`,
 * `process.exit` and signal handlers appear only in main.ts files and in core.
 */
import { globSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join, normalize } from 'node:path';

const SHARED = ['core', 'posix-mq'];
const PROCESS_GLOBALS = /\bprocess\.(env|exit|on|once)\b/;
const IMPORT =
  /(?:^|\n)\s*(?:import|export)[^'"`;]*?from\s*'([^']+)'|import\(\s*'([^']+)'\s*\)|(?:^|\n)import\s*'([^']+)'/g;

/** Every breach below `root`, as `path: sentence`. */
export function importFaults(root: string): string[] {
  const files = globSync('{packages/*/src,test}/**/*.ts', { cwd: root });
  return files.flatMap((path) => {
    const source = readFileSync(join(root, path), 'utf8');
    const declared = declaredDependencies(root, path);
    return fileFaults(path, source, declared).map((fault) => `${path}: ${fault}`);
  });
}

/** What one file breaks; `declared` are the dependencies of its package. */
export function fileFaults(path: string, source: string, declared: ReadonlySet<string>): string[] {
  const faults: string[] = [];
  const owner = /^packages\/([^/]+)\//.exec(path)?.[1];
  const isTest = path.endsWith('.test.ts') || path.includes('/fixtures/');
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

/** Tests may also use the development dependencies of the workspace. */
function declaredDependencies(root: string, path: string): Set<string> {
  const own = /^packages\/[^/]+/.exec(path)?.[0];
  const manifests = [
    own && join(root, own, 'package.json'),
    path.endsWith('.test.ts') || path.includes('test-kit') ? join(root, 'package.json') : undefined,
  ];
  return new Set(
    manifests.flatMap((file) => {
      if (!file) return [];
      const { dependencies = {}, devDependencies = {} } = JSON.parse(readFileSync(file, 'utf8'));
      return [
        ...Object.keys(dependencies),
        ...(path.endsWith('.test.ts') || path.includes('test-kit') || path.includes('/fixtures/')
          ? Object.keys(devDependencies)
          : []),
      ];
    }),
  );
}
