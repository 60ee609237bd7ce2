import { execFileSync } from 'node:child_process';
import { copyFileSync, globSync, mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { BASE_PACKAGES, ensureDebianPackages } from '../scripts/support/debian.ts';
import { PLATFORMS, RELEASE } from './base-rootfs.ts';
import type { Architecture } from './bundle.ts';

/** Programs and libraries of Debian packages that an image carries beside its bundle. */
export interface DebianFiles {
  readonly packages: readonly string[];
  /** Which of their files, as globs; all go into one directory. */
  readonly files: readonly string[];
}

/** Copies them into `directory`, for any architecture: nothing of them is run. */
export async function copyDebianFiles(
  { packages, files }: DebianFiles,
  directory: string,
  architecture: Architecture,
): Promise<void> {
  await ensureDebianPackages(BASE_PACKAGES, 'files of Debian packages');
  const root = mkdtempSync(join(tmpdir(), 'sidekit-debian-'));
  try {
    execFileSync(
      'mmdebstrap',
      [
        ...['--quiet', '--variant=extract', `--architectures=${PLATFORMS[architecture]}`],
        ...[`--include=${packages.join(',')}`, RELEASE, root],
      ],
      { stdio: ['ignore', 'ignore', 'pipe'] },
    );
    mkdirSync(directory, { recursive: true });
    for (const file of files) {
      const [path] = globSync(file, { cwd: root });
      if (!path) throw new Error(`no ${file} in Debian's ${packages.join(', ')}`);
      // The name a program asks for, with the content that it leads to.
      const name = path.endsWith('copyright')
        ? `${path.split('/').at(-2)}.copyright`
        : basename(path);
      copyFileSync(realpathSync(join(root, path)), join(directory, name));
    }
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}
