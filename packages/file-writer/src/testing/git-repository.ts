import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** A bare repository for a server, and a clone of it to make commits in. */
export class GitRepository {
  readonly #work: string;
  readonly #bare: string;

  /** @param flags of git-init(1). */
  constructor(root: string, name = 'site.git', flags: readonly string[] = []) {
    const bare = join(root, name);
    this.#work = join(root, 'work');
    execFileSync('git', ['init', '-q', ...flags, '--bare', '-b', 'main', bare]);
    execFileSync('git', ['-C', bare, 'config', 'receive.denyDeleteCurrent', 'ignore']);
    this.#bare = bare;
    execFileSync('git', ['init', '-q', ...flags, '-b', 'main', this.#work]);
    this.git('remote', 'add', 'origin', bare);
  }

  git(...args: string[]): string {
    const who = ['-c', 'user.name=test', '-c', 'user.email=test@example.com'];
    return execFileSync('git', [...who, '-c', 'commit.gpgsign=false', ...args], {
      cwd: this.#work,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: '/usr/local/bin:/usr/bin:/bin', HOME: this.#work, GIT_CONFIG_NOSYSTEM: '1' },
    }).trim();
  }

  write(path: string, content: string | Buffer, executable = false): void {
    const full = join(this.#work, path);
    mkdirSync(dirname(full), { recursive: true });
    writeFileSync(full, content);
    if (executable) chmodSync(full, 0o755);
  }

  link(path: string, to: string): void {
    symlinkSync(to, join(this.#work, path));
  }

  remove(path: string): void {
    rmSync(join(this.#work, path), { recursive: true });
  }

  /** Replaces the branch main by one commit with these files, without a working copy; for many files. */
  import(files: ReadonlyMap<string, Buffer>): void {
    const parts: Uint8Array[] = [
      Buffer.from('commit refs/heads/main\ncommitter t <t@example.com> 0 +0000\ndata 0\n'),
    ];
    for (const [path, content] of files) {
      parts.push(
        Buffer.from(`M 100644 inline ${path}\ndata ${content.length}\n`, 'latin1'),
        content,
        Buffer.from('\n'),
      );
    }
    const git = ['-C', this.#bare];
    execFileSync('git', [...git, 'fast-import', '--quiet', '--force'], {
      input: Buffer.concat(parts),
    });
    execFileSync('git', [...git, 'repack', '-qadf', '--depth=50']);
  }

  /** Commits everything and pushes; returns the commit. */
  push(message = 'change', ...flags: string[]): string {
    this.git('add', '-A');
    this.git('commit', '-q', '--allow-empty', '-m', message);
    this.git('push', '-q', ...flags, 'origin', 'HEAD');
    return this.git('rev-parse', 'HEAD');
  }
}
