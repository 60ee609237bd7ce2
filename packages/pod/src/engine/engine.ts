import { ExpectedError } from '@sidekit/core/tool';
import { type CommandResult, command } from './command.ts';
import { type ExitEvent, followExits } from './exit-events.ts';
import type { FoundEngine } from './find.ts';
import { PAUSE_IMAGE, pauseTar } from './pause-image.ts';

/** The arguments of `run`: flags, then the image and its arguments. */
export interface RunRequest {
  readonly name: string;
  readonly flags: readonly string[];
  readonly image: string;
  readonly args: readonly string[];
  readonly environment?: ReadonlyMap<string, string>;
}

export interface ImageInfo {
  readonly id: string;
  /** USER of the image, as written: empty, a name, or `uid[:gid]`. */
  readonly user: string;
  /** The signal that stops its program. */
  readonly stopSignal: string;
}

/** The exit state of a container. */
export interface EndInfo {
  readonly exitCode: number;
  readonly oomKilled: boolean;
}

/** Docker or Podman through its command line; their differences are handled here and nowhere else. */
export class Engine {
  readonly name: FoundEngine['name'];
  readonly #runFlags: readonly string[];
  readonly #rootless: boolean;

  constructor({ name, runFlags, rootless }: FoundEngine) {
    this.name = name;
    this.#rootless = rootless;
    this.#runFlags = runFlags;
  }

  /**
   * Whether this machine can reach a container by its own address: not through the virtual
   * machine of Docker Desktop, nor into the user namespace of a rootless engine.
   */
  get direct(): boolean {
    return process.platform === 'linux' && !this.#rootless;
  }

  /** Whether `run --pidfile` leaves the number of the container's process on this machine. */
  get writesPid(): boolean {
    return this.name === 'podman' && this.direct;
  }

  /** Creates the pause image if it is missing. @returns whether it was missing. */
  async ensurePauseImage(): Promise<boolean> {
    if (await this.image(PAUSE_IMAGE)) return false;
    const args = ['import', '--change', 'ENTRYPOINT ["/pause"]', '-', PAUSE_IMAGE];
    check(await command(this.name, args, { input: pauseTar() }), `${this.name} import`);
    return true;
  }

  /** Inspects a local image; undefined if there is none of that name. */
  async image(reference: string): Promise<ImageInfo | undefined> {
    const result = await this.#command('image', 'inspect', reference);
    if (result.code !== 0) return undefined;
    const [{ Id: id, Config: config }] = JSON.parse(result.stdout);
    return { id, user: config?.User ?? '', stopSignal: config?.StopSignal || 'SIGTERM' };
  }

  async pull(reference: string): Promise<void> {
    check(await this.#command('pull', '-q', reference), `pull of ${reference}`);
  }

  /** Starts a container in the background and returns its id. @throws {ExpectedError} */
  async run({ name, flags, image, args, environment }: RunRequest): Promise<string> {
    const variables = environmentFlags(environment ?? new Map());
    const words = ['run', '-d', '--name', name, '--pull=never'];
    const result = await command(
      this.name,
      [...words, ...this.#runFlags, ...flags, ...variables.flags, image, ...args],
      { environment: variables.inherited },
    );
    check(result, `start of ${name}`);
    return result.stdout.trim().split('\n').at(-1) ?? '';
  }

  /** The address of a container on the engine's network; empty if it has none. */
  async address(id: string): Promise<string> {
    const format =
      '{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}{{.NetworkSettings.IPAddress}}';
    const result = await this.#inspect(format, id);
    check(result, `inspection of ${id}`);
    return result.stdout.trim().split(/\s+/)[0] ?? '';
  }

  /** The ports of this machine that ports of a container were published on. */
  async publishedPorts(id: string): Promise<Map<number, number>> {
    const result = await this.#command('port', id);
    check(result, `ports of ${id}`);
    const found = [...result.stdout.matchAll(/^(\d+)\/tcp -> .*:(\d+)$/gm)];
    return new Map(found.map(([, inside, outside]) => [Number(inside), Number(outside)]));
  }

  /** Returns how a container ended; undefined if it runs or is gone. */
  async end(id: string): Promise<EndInfo | undefined> {
    const { code, stdout } = await this.#inspect('{{json .State}}', id);
    if (code !== 0) return undefined;
    const state = JSON.parse(stdout);
    if (state.Running || state.Status === 'created') return undefined;
    return { exitCode: state.ExitCode, oomKilled: state.OOMKilled };
  }

  async signal(id: string, signal: string): Promise<void> {
    const { code, stderr } = await this.#command('kill', '--signal', signal, id);
    // It may have ended in between; its event reports that.
    const gone = /not running|no such container|already|state improper|container process/i;
    if (code !== 0 && !gone.test(stderr)) {
      throw new ExpectedError(`${this.name} kill: ${lastLine(stderr)}`);
    }
  }

  exec(id: string, argv: readonly string[], timeout?: number): Promise<CommandResult> {
    return command(this.name, ['exec', id, ...argv], timeout === undefined ? {} : { timeout });
  }

  /** The last lines of a container's log, both streams. */
  async tail(id: string, lines: number): Promise<string> {
    const { stdout, stderr } = await this.#command('logs', '--tail', String(lines), id);
    return stdout + stderr;
  }

  async remove(ids: readonly string[]): Promise<void> {
    if (ids.length === 0) return;
    const zero = this.name === 'podman' ? ['-t', '0'] : [];
    const { code, stderr } = await this.#command('rm', '-f', '-v', ...zero, ...ids);
    if (code !== 0 && !/no such container|already in progress/i.test(stderr)) {
      throw new ExpectedError(`${this.name} rm: ${lastLine(stderr)}`);
    }
  }

  /** Containers with a label, running or not, and the value of another label of each. */
  async labelled(label: string, other: string): Promise<{ id: string; value: string }[]> {
    const value = this.name === 'podman' ? `index .Labels "${other}"` : `.Label "${other}"`;
    const format = `{{.ID}} {{${value}}}`;
    const words = ['ps', '-a', '--no-trunc', '--filter', `label=${label}`, '--format', format];
    const result = await this.#command(...words);
    check(result, 'ps');
    return result.stdout
      .split('\n')
      .filter(Boolean)
      .map((line) => ({ id: line.split(' ')[0] ?? '', value: line.split(' ')[1] ?? '' }));
  }

  /** Follows the exits of containers with a label, from `since` on; returns the function that stops. */
  followExits(label: string, since: Date, onExit: (exit: ExitEvent) => void): () => void {
    return followExits(this.name, label, since, onExit);
  }

  /** The arguments that print a container's log. */
  logArguments(id: string, { follow, timestamps }: { follow: boolean; timestamps: boolean }) {
    return ['logs', ...(follow ? ['-f'] : []), ...(timestamps ? ['--timestamps'] : []), id];
  }

  #inspect(format: string, id: string): Promise<CommandResult> {
    return this.#command('inspect', '--type=container', '--format', format, id);
  }

  #command(...args: readonly string[]): Promise<CommandResult> {
    return command(this.name, args);
  }
}

/** Variables that the engine's own client reads: their values must be on its command line. */
const CLIENT_VARIABLES =
  /^(PATH|HOME|USER|TMPDIR|SHELL|LANG|TZ|LC_.*|LD_.*|GO.*|XDG_.*|DOCKER_.*|CONTAINERS?_.*|PODMAN_.*|BUILDAH_.*|STORAGE_.*|REGISTRY_.*|CGROUP_.*|DBUS_.*|.*_proxy|.*_PROXY|NOTIFY_SOCKET|LISTEN_.*|_.*)$/;

/**
 * Passes variables by name, with their values in the client's environment: a command line can be
 * read by everyone on the machine, and may hold no secret.
 */
function environmentFlags(environment: ReadonlyMap<string, string>) {
  const flags: string[] = [];
  const inherited: Record<string, string> = {};
  for (const [name, value] of environment) {
    if (/^[A-Za-z_]\w*$/.test(name) && !CLIENT_VARIABLES.test(name)) {
      flags.push(`--env=${name}`);
      inherited[name] = value;
    } else flags.push(`--env=${name}=${value}`);
  }
  return { flags, inherited };
}

function check({ code, stderr }: CommandResult, what: string) {
  if (code !== 0) throw new ExpectedError(`${what} failed: ${lastLine(stderr)}`);
}

/** Returns the last line with content: a hint at the command's help has none. */
export function lastLine(stderr: string): string {
  return (
    stderr
      .trim()
      .split('\n')
      .findLast((line) => line.trim() !== '' && !/^(Run|See) '.* --help'/.test(line))
      ?.replace(/^(docker: )?Error( response from daemon)?: /, '') ?? ''
  );
}
