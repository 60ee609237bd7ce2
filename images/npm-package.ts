import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const CACHE = '.cache/npm';

/**
 * The directory of an npm package of another platform, which npm does not install here. It is
 * fetched once, by npm, which checks it against the registry; and against the lock file where that
 * names it.
 */
export function foreignPackage(name: string, version: string): string {
  const directory = join(CACHE, `${name.replace('/', '-')}-${version}`);
  if (existsSync(directory)) return directory;
  mkdirSync(CACHE, { recursive: true });
  const packed = execFileSync(
    'npm',
    ['pack', '--json', '--loglevel=error', `--pack-destination=${CACHE}`, `${name}@${version}`],
    { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] },
  );
  const tarball = join(CACHE, fileName(packed));
  checkIntegrity(name, version, tarball);
  const unpacked = `${directory}.${process.pid}`;
  mkdirSync(unpacked, { recursive: true });
  execFileSync('tar', ['-xzf', tarball, '-C', unpacked, '--strip-components=1']);
  rmSync(tarball);
  renameSync(unpacked, directory);
  return directory;
}

/** Newer npm prints one object a package, older an array. */
function fileName(packed: string): string {
  const [entry] = Object.values<{ filename: string }>(JSON.parse(packed));
  return (entry?.filename ?? '').replace('@', '').replace('/', '-');
}

function checkIntegrity(name: string, version: string, tarball: string) {
  const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8'));
  const locked = packages[`node_modules/${name}`];
  if (locked?.integrity === undefined) return;
  const digest = createHash('sha512').update(readFileSync(tarball)).digest('base64');
  if (locked.version !== version || locked.integrity !== `sha512-${digest}`) {
    throw new Error(`${name}@${version} is not what package-lock.json names: ${locked.integrity}`);
  }
}
