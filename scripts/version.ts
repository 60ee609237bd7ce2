/**
 * `npm run version -- 0.2.0` rewrites the one version in every place that names it;
 * `-- --check 0.2.0` only says whether all of them do;
 * `-- --render REGISTRY DIRECTORY` writes the manifests with images of a registry.
 */
import { cpSync, globSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { parse } from 'yaml';

const VERSION = /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z.-]+)?$/;

const LOCK_FILE = 'package-lock.json';

/** Files that name the version, and how each does; the first group stays, the version follows. */
const PLACES: readonly (readonly [glob: string, pattern: RegExp])[] = [
  ['package.json', /^( {2}"version": ")[^"]+/gm],
  ['packages/*/package.json', /^( {2}"version": "|\s+"@sidekit\/[a-z-]+": ")[^"]+/gm],
  [
    '{manifests,docs,test}/**/*.{yaml,md}',
    /(\bsidekit\/[a-z-]+:)\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?/g,
  ],
  ['manifests/injection/parameters.yaml', /^( {4}sidekit\.dev\/version: )\S+/gm],
  ['{README.md,docker-compose.yml}', /(\bsidekit\/[a-z-]+:)\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?/g],
  ['packages/*/README.md', /(\bsidekit\/[a-z-]+:)\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?/g],
];

/** The text with its version replaced; `found` is called with each version that was there. */
export function withVersion(
  text: string,
  pattern: RegExp,
  version: string,
  found: (version: string) => void = () => {},
): string {
  return text.replace(pattern, (whole, before: string) => {
    found(whole.slice(before.length));
    return before + version;
  });
}

/** Manifests with `sidekit/<name>:<version>` as images of a registry, always pulled by name. */
export function withRegistry(text: string, registry: string): string {
  return text
    .replace(/(image: )sidekit\//g, `$1${registry}/`)
    .replace(/^( {4}sidekit\.dev\/registry: )docker\.io\/sidekit$/m, `$1${registry}`);
}

function places(): { path: string; pattern: RegExp }[] {
  return PLACES.flatMap(([glob, pattern]) =>
    globSync(glob, { exclude: ['**/node_modules/**'] }).map((path) => ({ path, pattern })),
  );
}

function rewrite(version: string): number {
  let files = 0;
  for (const { path, pattern } of places()) {
    const text = readFileSync(path, 'utf8');
    const changed = withVersion(text, pattern, version);
    if (changed === text) continue;
    writeFileSync(path, changed);
    files++;
  }
  rewriteLockFile(version);
  console.log(`${version} in ${files} files and package-lock.json`);
  return 0;
}

/** The lock file names the workspaces' versions too; npm would correct them only on an install. */
function rewriteLockFile(version: string) {
  writeFileSync(LOCK_FILE, withLockedVersion(readFileSync(LOCK_FILE, 'utf8'), version));
}

/** A lock file whose workspaces all have one version, and depend on each other by it. */
function withLockedVersion(text: string, version: string): string {
  const lock = JSON.parse(text);
  lock.version = version;
  for (const [path, entry] of Object.entries<Record<string, unknown>>(lock.packages)) {
    // Not what is installed below a workspace.
    if (!/^(packages\/[^/]+)?$/.test(path)) continue;
    if (entry.version !== undefined) entry.version = version;
    for (const kind of ['dependencies', 'devDependencies']) {
      const wanted = entry[kind] as Record<string, string> | undefined;
      for (const name of Object.keys(wanted ?? {})) {
        if (wanted && name.startsWith('@sidekit/')) wanted[name] = version;
      }
    }
  }
  return `${JSON.stringify(lock, null, 2)}\n`;
}

function check(version: string): number {
  const wrong: string[] = [];
  for (const { path, pattern } of places()) {
    withVersion(readFileSync(path, 'utf8'), pattern, version, (found) => {
      if (found !== version) wrong.push(`${path} says ${found}`);
    });
  }
  const lock = readFileSync(LOCK_FILE, 'utf8');
  if (withLockedVersion(lock, version) !== lock) wrong.push(`${LOCK_FILE} says another version`);
  for (const line of new Set(wrong)) console.error(line);
  if (wrong.length > 0) console.error(`Run: npm run version -- ${version}`);
  return wrong.length > 0 ? 1 : 0;
}

function render(registry: string, directory: string): number {
  cpSync('manifests', directory, { recursive: true });
  for (const path of globSync('**/*.yaml', { cwd: directory })) {
    const file = join(directory, path);
    writeFileSync(file, withRegistry(readFileSync(file, 'utf8'), registry));
  }
  writeFileSync(join(directory, 'injection.yaml'), injection(join(directory, 'injection')));
  console.log(`manifests with images of ${registry} in ${directory}`);
  return 0;
}

/** Returns the policies as one file, in the order of their kustomization. */
function injection(directory: string): string {
  const { resources } = parse(readFileSync(join(directory, 'kustomization.yaml'), 'utf8'));
  return (resources as string[])
    .map((file) => readFileSync(join(directory, file), 'utf8').trimEnd())
    .join('\n---\n')
    .concat('\n');
}

function usage(): number {
  console.error(
    'usage: npm run version -- VERSION | --check VERSION | --render REGISTRY DIRECTORY',
  );
  return 64;
}

export function main(args: readonly string[]): number {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { check: { type: 'boolean' }, render: { type: 'boolean' } },
  });
  const [first, second] = positionals;
  if (values.render && first && second) return render(first, second);
  if (!first || second !== undefined || values.render) return usage();
  if (!VERSION.test(first)) {
    console.error(
      `${JSON.stringify(first)} is not a version: write MAJOR.MINOR.PATCH, such as 0.2.0`,
    );
    return 64;
  }
  return values.check ? check(first) : rewrite(first);
}

if (import.meta.main) process.exitCode = main(process.argv.slice(2));
