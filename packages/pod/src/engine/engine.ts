import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { ExpectedError } from '@sidekit/core';
import { type CommandResult, command } from './command.ts';
import type { FoundEngine } from './find.ts';
import { PAUSE_IMAGE, pauseTar } from './pause-image.ts';

/** A container of ours that ended, as the engine's event says. */
export interface Died {
  readonly id: string;
  readonly exitCode: number;
}

/** What a container is started with: flags of `run`, then the image and its arguments. */
export interface RunRequest {
  readonly name: string;
  readonly flags: readonly string[];
  readonly image: string;
  readonly args: readonly string[];
}

export interface ImageInfo {
  /** USER of the image, as written: empty, a name, or `uid[:gid]`. */
  readonly user: string;
}

/** Docker or Podman through its command line; where they differ is said here and nowhere else. */
export class Engine {
  readonly name: FoundEngine['name'];
  readonly #runFlags: readonly string[];

  constructor({ name, runFlags }: FoundEngine) {
    this.name = name;
    this.#runFlags = runFlags;
  }

  /** Makes the pause image where it is missing. */
  async ensurePauseImage(): Promise<void> {
    if (await this.image(PAUSE_IMAGE)) return;
    const result = await this.#command(
      ['import', '--change', 'ENTRYPOINT ["/pause"]', '-', PAUSE_IMAGE],
      pauseTar(),
    );
    check(result, `${this.name} import`);
  }

  /** What is known of a local image; undefined where there is none of that name. */
  async image(reference: string): Promise<ImageInfo | undefined> {
    const { code, stdout } = await this.#command([
      'image',
      'inspect',
      '--format',
      '{{json .Config.User}}',
      reference,
    ]);
    return code === 0 ? { user: JSON.parse(stdout.trim() || '""') ?? '' } : undefined;
  }

  async pull(reference: string): Promise<void> {
    check(await this.#command(['pull', '-q', reference]), `pull of ${reference}`);
  }

  /** Starts a container in the background and returns its id. */
  async run({ name, flags, image, args }: RunRequest): Promise<string> {
    const words = [
      'run',
      '-d',
      '--name',
      name,
      '--pull=never',
      ...this.#runFlags,
      ...flags,
      image,
      ...args,
    ];
    const result = await this.#command(words);
    check(result, `start of ${name}`);
    return result.stdout.trim().split('\n').at(-1) ?? '';
  }

  /** The address of a container on the engine's network; empty where it has none. */
  async address(id: string): Promise<string> {
    const format =
      '{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}{{.NetworkSettings.IPAddress}}';
    const result = await this.#command(['inspect', '--type=container', '--format', format, id]);
    check(result, `inspection of ${id}`);
    return result.stdout.trim().split(/\s+/)[0] ?? '';
  }

  /** The host's port that a port of a container was published on. */
  async publishedPort(id: string, port: number): Promise<number> {
    const result = await this.#command(['port', id, `${port}/tcp`]);
    check(result, `port ${port} of ${id}`);
    return Number(/:(\d+)\s*$/m.exec(result.stdout)?.[1]);
  }

  async wasKilledForMemory(id: string): Promise<boolean> {
    const { stdout } = await this.#command([
      'inspect',
      '--type=container',
      '--format',
      '{{.State.OOMKilled}}',
      id,
    ]);
    return stdout.trim() === 'true';
  }

  async signal(id: string, signal: string): Promise<void> {
    const { code, stderr } = await this.#command(['kill', '--signal', signal, id]);
    // It may have ended by itself in between; its event tells.
    if (
      code !== 0 &&
      !/not running|no such container|already|state improper|container process/i.test(stderr)
    ) {
      throw new ExpectedError(`${this.name} kill: ${stderr.trim()}`);
    }
  }

  exec(id: string, argv: readonly string[], timeout?: number): Promise<CommandResult> {
    return command(this.name, ['exec', id, ...argv], timeout === undefined ? {} : { timeout });
  }

  async remove(ids: readonly string[]): Promise<void> {
    if (ids.length === 0) return;
    const zero = this.name === 'podman' ? ['-t', '0'] : [];
    const { code, stderr } = await this.#command(['rm', '-f', '-v', ...zero, ...ids]);
    if (code !== 0 && !/no such container|no container with/i.test(stderr))
      throw new ExpectedError(`${this.name} rm: ${stderr.trim()}`);
  }

  /** Names of all containers with a label, running or not. */
  async labelled(label: string): Promise<string[]> {
    const result = await this.#command([
      'ps',
      '-a',
      '--format',
      '{{.Names}}',
      '--filter',
      `label=${label}`,
    ]);
    check(result, 'ps');
    return result.stdout.split('\n').filter(Boolean);
  }

  /** Follows the ends of containers with a label, from `since` on; returns the function that stops. */
  followDeaths(label: string, since: Date, onDied: (died: Died) => void): () => void {
    const podman = this.name === 'podman';
    let stopped = false;
    let from = since;
    let child: ReturnType<typeof spawn> | undefined;
    const seen = new Set<string>();
    const follow = () => {
      const format = podman ? 'json' : '{{json .}}';
      child = spawn(
        this.name,
        [
          ...['events', '--since', from.toISOString(), '--format', format],
          ...['--filter', `label=${label}`, '--filter', `event=${podman ? 'died' : 'die'}`],
        ],
        { stdio: ['ignore', 'pipe', 'ignore'] },
      );
      from = new Date();
      if (!child.stdout) return;
      createInterface({ input: child.stdout }).on('line', (line) => {
        const died = readDeath(line);
        // Events of the moment of a reconnection come twice.
        if (!died || seen.has(died.id)) return;
        seen.add(died.id);
        onDied(died);
      });
      child.once('error', () => {});
      child.once('close', () => {
        if (!stopped) setTimeout(follow, 200);
      });
    };
    follow();
    return () => {
      stopped = true;
      child?.kill();
    };
  }

  /** The arguments that print a container's log. */
  logArguments(id: string, follow: boolean): string[] {
    return ['logs', ...(follow ? ['-f'] : []), id];
  }

  #command(args: readonly string[], input?: Buffer): Promise<CommandResult> {
    return command(this.name, args, input ? { input } : {});
  }
}

function readDeath(line: string): Died | undefined {
  try {
    const event = JSON.parse(line);
    // Podman's own field, and Docker's attribute.
    const code =
      event.ContainerExitCode ??
      event.Actor?.Attributes?.exitCode ??
      event.Attributes?.containerExitCode;
    return { id: event.ID ?? event.Actor?.ID ?? event.id, exitCode: Number(code ?? 0) };
  } catch {
    return undefined;
  }
}

function check({ code, stderr }: CommandResult, what: string) {
  if (code === 0) return;
  const message =
    stderr
      .trim()
      .split('\n')
      .at(-1)
      ?.replace(/^Error: /, '') ?? '';
  throw new ExpectedError(`${what} failed: ${message}`);
}
