import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Git } from './git.ts';

/** Commits files to a bare repository, without a clone. */
export class Repository {
  readonly path: string;
  readonly #git: Git;
  #last: Promise<void> = Promise.resolve();

  constructor(root: string, git: Git) {
    this.path = join(root, 'site.git');
    this.#git = git;
  }

  /** Creates the repository with the files of `seed`, unless it exists. */
  async open(seed: string | undefined): Promise<void> {
    if (existsSync(join(this.path, 'HEAD'))) return;
    await this.#git.run(['init', '-q', '--bare', '--template=', '-b', 'main', this.path]);
    await this.#git.run(['-C', this.path, 'config', 'http.receivepack', 'true']);
    if (seed !== undefined) await this.commit(filesOf(seed), 'Begin');
  }

  /** Commits files to main, one commit after another. */
  commit(files: ReadonlyMap<string, Uint8Array>, message: string): Promise<void> {
    this.#last = this.#last.catch(() => {}).then(() => this.#import(files, message));
    return this.#last;
  }

  async #import(files: ReadonlyMap<string, Uint8Array>, message: string): Promise<void> {
    const parent = existsSync(join(this.path, 'refs/heads/main')) ? 'from refs/heads/main^0\n' : '';
    const seconds = Math.floor(Date.now() / 1000);
    const parts: Uint8Array[] = [
      Buffer.from(
        `commit refs/heads/main\ncommitter sidekit <sidekit@example.com> ${seconds} +0000\ndata ${Buffer.byteLength(message)}\n${message}\n${parent}`,
      ),
    ];
    for (const [path, content] of files) {
      parts.push(
        Buffer.from(`M 100644 inline ${JSON.stringify(path)}\ndata ${content.length}\n`),
        content,
        Buffer.from('\n'),
      );
    }
    await this.#git.run(['-C', this.path, 'fast-import', '--quiet'], Buffer.concat(parts));
  }
}

/** Reads the files of a directory such as a ConfigMap volume, without the kubelet's names. */
function filesOf(directory: string): Map<string, Uint8Array> {
  const names = readdirSync(directory).filter((name) => !name.startsWith('.'));
  return new Map(
    names
      .filter((name) => statSync(join(directory, name)).isFile())
      .map((name) => [name, readFileSync(join(directory, name))]),
  );
}
