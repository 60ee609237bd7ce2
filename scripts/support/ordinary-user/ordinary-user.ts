import { spawn } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { ensureDebianPackages } from '../debian.ts';
import type { ContainerEngine } from '../engine.ts';
import { Interruption } from '../interruption.ts';
import { step } from '../output.ts';
import { CommandError, run } from '../run.ts';
import { FOLDERS, USER } from './user.ts';

/** Packages for rootless Podman: the programs that map IDs, and the network of an ordinary user. */
const PACKAGES = ['uidmap', 'slirp4netns'];
const DOCKER_SOCKET = '/var/run/docker.sock';

export interface UserRunOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Ends everything after so many milliseconds. */
  readonly timeout?: number | undefined;
}

/**
 * An ordinary user of this machine, who exists only in namespaces of mounts and processes: nothing
 * of the machine changes, and all processes of a command end with it. Needs root on Linux.
 */
export class OrdinaryUser implements Disposable {
  readonly #folder: string;
  readonly #group: number;

  private constructor(folder: string, group: number) {
    this.#folder = folder;
    this.#group = group;
  }

  /**
   * Creates a user who can use the engine: by rootless Podman, with copies of root's images of these
   * names, or as a member of the docker group.
   * @throws Error that says what this machine lacks.
   */
  static async create(engine: ContainerEngine, images: readonly string[]): Promise<OrdinaryUser> {
    if (process.getuid?.() !== 0) throw new Error('only root can become another user');
    const rootless = engine.name === 'podman';
    if (rootless) {
      await ensureDebianPackages(PACKAGES, 'rootless Podman');
      if (!existsSync('/dev/net/tun')) throw new Error('there is no /dev/net/tun');
    }
    const group = rootless ? USER : statSync(DOCKER_SOCKET).gid;
    if (group === 0) throw new Error(`${DOCKER_SOCKET} belongs to the group of root`);
    const folder = mkdtempSync('/var/tmp/sidekit-user-');
    chmodSync(folder, 0o755);
    for (const name of FOLDERS) {
      mkdirSync(join(folder, name), { mode: 0o700 });
      chownSync(join(folder, name), USER, USER);
    }
    const user = new OrdinaryUser(folder, group);
    try {
      await user.#must([engine.name, 'info']);
      if (rootless) await user.#copy(images);
      return user;
    } catch (error) {
      user[Symbol.dispose]();
      throw error;
    }
  }

  /** Runs a command in this clone, which the user cannot write, and returns its exit code. */
  async run(words: readonly string[], { env = {}, timeout }: UserRunOptions = {}): Promise<number> {
    using interruption = new Interruption();
    const [program = '', ...args] = this.#inside(words);
    const child = spawn(program, args, {
      stdio: 'inherit',
      env: { ...process.env, ...env },
      // unshare ignores SIGTERM while its child runs (unshare(1)).
      killSignal: 'SIGKILL',
      ...(timeout === undefined ? {} : { timeout }),
    });
    interruption.signal.addEventListener('abort', () => child.kill('SIGKILL'));
    const ended = await new Promise<number>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code) => resolve(code ?? 1));
    });
    return interruption.exitCode ?? ended;
  }

  /** Copies what the user's commands have written below dist. */
  keep(destination: string): void {
    cpSync(join(this.#folder, 'dist'), destination, { recursive: true });
  }

  [Symbol.dispose](): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #copy(images: readonly string[]) {
    const archive = join(this.#folder, 'images.tar');
    await step('images for an ordinary user', async () => {
      await run('podman', ['save', '-q', '-m', '-o', archive, ...images]);
      chmodSync(archive, 0o644);
      await this.#must(['podman', 'load', '-q', '-i', archive]);
      rmSync(archive);
    });
  }

  /** Returns the command that enters the user's namespaces and runs `words` there. */
  #inside(words: readonly string[]): string[] {
    const flags = ['--mount', '--pid', '--fork', '--kill-child', '--mount-proc'];
    // A shell as the first process collects the processes that the user's commands leave.
    const first = ['sh', '-c', '"$@"; exit $?', 'sh'];
    const enter = [process.execPath, resolve('scripts/support/ordinary-user/enter.ts')];
    return ['unshare', ...flags, ...first, ...enter, this.#folder, String(this.#group), ...words];
  }

  async #must(words: readonly string[]) {
    const [program = '', ...args] = this.#inside(words);
    try {
      await run(program, args);
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      throw new Error(`an ordinary user cannot run "${words.join(' ')}": ${error.message}`);
    }
  }
}
