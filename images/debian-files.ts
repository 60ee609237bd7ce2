import { copyFileSync, globSync, realpathSync } from 'node:fs';
import { basename, join } from 'node:path';

/** Programs and libraries of Debian packages that an image carries next to its bundle. */
export interface DebianFiles {
  readonly packages: readonly string[];
  /** Which of their files, as globs; all go into one directory. */
  readonly files: readonly string[];
}

/**
 * Copies those files of unpacked packages into `directory`, each under the name that programs ask
 * for, with the content that it leads to; a licence under the name of its package.
 * @throws Error if a glob matches nothing.
 */
export function copyFiles(root: string, files: readonly string[], directory: string): void {
  for (const file of files) {
    const [path] = globSync(file, { cwd: root });
    if (!path) throw new Error(`the Debian packages have no ${file}`);
    const name = path.endsWith('copyright')
      ? `${path.split('/').at(-2)}.copyright`
      : basename(path);
    copyFileSync(realpathSync(join(root, path)), join(directory, name));
  }
}
