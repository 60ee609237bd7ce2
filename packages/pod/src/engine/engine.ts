import { ExpectedError, errorText } from '@sidekit/core/tool';
import { EngineApi, EngineError, pathPart } from './api.ts';
import { type CommandOptions, type CommandResult, command } from './command.ts';
import type { ContainerConfig } from './container-config.ts';
import { dockerBody } from './docker-body.ts';
import { type ExecRequest, type ExecResult, exec } from './exec.ts';
import { type ExitEvent, followExits } from './exit-events.ts';
import type { FoundEngine } from './find.ts';
import { PAUSE_IMAGE, pauseTar } from './pause-image.ts';
import { podmanBody } from './podman-body.ts';
import { ensurePodmanService } from './podman-service.ts';
import { processLimits } from './process-limits.ts';
import { isOf } from './processes.ts';
import { type Runtime, runtimeOf } from './runtime.ts';
import { runtimeExec } from './runtime-exec.ts';
import { type ContainerStats, readStats } from './stats.ts';

export interface ImageInfo {
  readonly id: string;
  /** USER of the image, as written: empty, a name, or `uid[:gid]`. */
  readonly user: string;
  /** The signal that stops its program. */
  readonly stopSignal: string;
}

/** The state of a container. */
export interface ContainerInfo {
  readonly running: boolean;
  readonly exitCode: number;
  readonly oomKilled: boolean;
  /** Its first process; 0 if there is none, or it cannot be seen here. */
  readonly pid: number;
  /** The user that it runs as, as configured; empty for the image's. */
  readonly user: string;
  /** Its address on the engine's network; empty if it has none. */
  readonly address: string;
  /** Ports of this machine by the TCP port of the container that they lead to. */
  readonly published: ReadonlyMap<number, number>;
}

/** A volume of the engine. */
export interface EngineVolume {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Options of a tmpfs, such as `size=1m,mode=0777`; undefined for one on disk. */
  readonly tmpfs?: string | undefined;
}

/** Words of the engines for a container that has ended, or is gone. */
const GONE = /not running|no such container|already|state improper|container process/i;

/**
 * Docker or Podman: over the API's socket, and by the command line for what streams to a terminal
 * or is rare. Their differences are handled in this folder and nowhere else.
 */
export class Engine {
  readonly name: FoundEngine['name'];
  /** This machine reaches containers by their own addresses. */
  readonly direct: boolean;
  readonly #found: FoundEngine;
  readonly #api: EngineApi;
  /** Prefix of paths of Docker's API, which Podman has as well. */
  readonly #root: string;
  /** Runtimes by the containers that they run; undefined for one that is not called directly. */
  readonly #runtimes = new Map<string, Runtime | undefined>();
  /** The engine's process IDs are those of this machine; undefined until a container was inspected. */
  #seesProcesses: boolean | undefined;

  constructor(found: FoundEngine) {
    this.#found = found;
    this.name = found.name;
    this.direct = found.direct;
    const revive = () => ensurePodmanService(found.socket);
    this.#api = new EngineApi(found.socket, found.name === 'podman' ? revive : undefined);
    this.#root = `/v${found.version}`;
  }

  /** Creates the pause image if it is missing. */
  async ensurePauseImage(): Promise<void> {
    if (await this.image(PAUSE_IMAGE)) return;
    await this.importImage(pauseTar(), PAUSE_IMAGE, ['ENTRYPOINT ["/pause"]']);
  }

  /** Creates an image from a tar of its files. */
  async importImage(tar: Buffer, name: string, changes: readonly string[]): Promise<void> {
    const flags = changes.flatMap((change) => ['--change', change]);
    const result = await this.#command(['import', ...flags, '-', name], { input: tar });
    check(result, `${this.name} import`);
  }

  /** Inspects a local image; undefined if there is none of that name. */
  async image(reference: string): Promise<ImageInfo | undefined> {
    const root = this.name === 'podman' ? LIBPOD : this.#root;
    try {
      const image = await this.#api.call('GET', `${root}/images/${pathPart(reference)}/json`);
      const { Id: id, Config: config, User: user } = image;
      return { id, user: config?.User ?? user ?? '', stopSignal: config?.StopSignal || 'SIGTERM' };
    } catch (error) {
      if (error instanceof EngineError && error.status !== 500) return undefined;
      throw error;
    }
  }

  async pull(reference: string): Promise<void> {
    check(await this.#command(['pull', '-q', reference]), `pull of ${reference}`);
  }

  /**
   * Starts a container in the background and returns its id; `prepare` is called before the start.
   * @throws {ExpectedError}
   */
  async run(config: ContainerConfig, prepare?: (id: string) => Promise<void>): Promise<string> {
    let id: string | undefined;
    try {
      id = await this.#create(config);
      await prepare?.(id);
      await this.#api.call('POST', `${this.#root}/containers/${id}/start`);
      return id;
    } catch (error) {
      if (id !== undefined) this.remove([id]).catch(() => {});
      throw new ExpectedError(`start of ${config.name} failed: ${reason(errorText(error))}`);
    }
  }

  async #create(config: ContainerConfig): Promise<string> {
    if (this.name === 'podman') {
      const body = podmanBody(config, processLimits());
      return (await this.#api.call('POST', `${LIBPOD}/containers/create`, { body })).Id;
    }
    const query = { name: config.name };
    const body = dockerBody(config);
    return (await this.#api.call('POST', `${this.#root}/containers/create`, { query, body })).Id;
  }

  /** Returns the state of a container; undefined if it is gone. */
  async inspect(id: string): Promise<ContainerInfo | undefined> {
    try {
      const {
        State: state,
        Config: config,
        NetworkSettings: network,
      } = await this.#api.call('GET', `${this.#root}/containers/${id}/json`);
      const running = state.Running || state.Status === 'created';
      const pid: number = state.Pid ?? 0;
      // Podman starts its containers where it was started itself.
      if (running && pid > 0) this.#seesProcesses ??= this.name === 'podman' || isOf(id, pid);
      const addresses = Object.values<{ IPAddress?: string }>(network?.Networks ?? {});
      const ports = Object.entries<{ HostPort: string }[] | null>(network?.Ports ?? {});
      return {
        running,
        exitCode: state.ExitCode,
        oomKilled: state.OOMKilled,
        pid: this.#seesProcesses ? pid : 0,
        user: config?.User ?? '',
        address: addresses[0]?.IPAddress || network?.IPAddress || '',
        published: new Map(
          ports.flatMap(([port, hosts]) =>
            hosts?.[0] && port.endsWith('/tcp')
              ? [[Number.parseInt(port, 10), Number(hosts[0].HostPort)] as const]
              : [],
          ),
        ),
      };
    } catch (error) {
      if (error instanceof EngineError && error.status === 404) return undefined;
      throw error;
    }
  }

  async signal(id: string, signal: string): Promise<void> {
    try {
      await this.#api.call('POST', `${this.#root}/containers/${id}/kill`, { query: { signal } });
    } catch (error) {
      // It may have ended in between; its event reports that.
      if (!(error instanceof EngineError) || !GONE.test(error.message)) throw error;
    }
  }

  /** Runs a command in a container. @throws {ExpectedError} if it could not be started. */
  async exec(request: ExecRequest): Promise<ExecResult> {
    const runtime = this.name === 'podman' ? await this.#runtimeOf(request.container) : undefined;
    return runtime
      ? runtimeExec(runtime, request)
      : exec(this.#api, this.#root, request, this.#seesProcesses);
  }

  async #runtimeOf(id: string): Promise<Runtime | undefined> {
    if (!this.#runtimes.has(id)) {
      const info = await this.inspect(id);
      if (!info?.pid) return undefined;
      this.#runtimes.set(id, runtimeOf(id, info.pid));
    }
    return this.#runtimes.get(id);
  }

  /** Returns the last lines of a container's log, both streams. */
  async tail(id: string, lines: number): Promise<string> {
    const { stdout, stderr } = await this.#command(['logs', '--tail', String(lines), id]);
    return stdout + stderr;
  }

  async remove(ids: readonly string[]): Promise<void> {
    const podman = this.name === 'podman';
    const query = { force: true, v: true, ...(podman ? { timeout: 0 } : {}) };
    await Promise.all(
      ids.map(async (id) => {
        this.#runtimes.delete(id);
        try {
          const root = podman ? LIBPOD : this.#root;
          await this.#api.call('DELETE', `${root}/containers/${id}`, { query });
        } catch (error) {
          const gone = /no such container|no container with|already in progress/i;
          if (!(error instanceof EngineError) || !gone.test(error.message)) throw error;
        }
      }),
    );
  }

  /** Lists containers with a label, running or not, and all labels of each. */
  async labelled(
    label: string,
  ): Promise<{ readonly id: string; readonly labels: Readonly<Record<string, string>> }[]> {
    const query = { all: true, filters: JSON.stringify({ label: [label] }) };
    const all = await this.#api.call('GET', `${this.#root}/containers/json`, { query });
    return all.map(
      ({ Id: id, Labels: labels }: { Id: string; Labels: Record<string, string> }) => ({
        id,
        labels: labels ?? {},
      }),
    );
  }

  /** Returns what a container has written to its root, in bytes, and the path of its log. */
  async storage(id: string): Promise<{ written: number; log: string } | undefined> {
    const podman = this.name === 'podman';
    const root = podman ? LIBPOD : this.#root;
    try {
      const path = `${root}/containers/${id}/json`;
      const info = await this.#api.call('GET', path, { query: { size: true } });
      const log = (podman ? info.HostConfig?.LogConfig?.Path : info.LogPath) ?? '';
      return { written: info.SizeRw ?? 0, log };
    } catch (error) {
      if (error instanceof EngineError && error.status === 404) return undefined;
      throw error;
    }
  }

  /** Returns the path of the log that Podman's monitor writes; undefined if there is no such file here. */
  async logFile(id: string): Promise<string | undefined> {
    if (this.name !== 'podman' || process.platform !== 'linux') return undefined;
    try {
      const { HostConfig: config } = await this.#api.call('GET', `${LIBPOD}/containers/${id}/json`);
      return config?.LogConfig?.Path || undefined;
    } catch (error) {
      if (error instanceof EngineError && error.status === 404) return undefined;
      throw error;
    }
  }

  /** Returns what a container uses; undefined if it does not run. */
  async stats(id: string): Promise<ContainerStats | undefined> {
    // One reading: two, for a share of the CPU, would take a second.
    const query = { stream: false, 'one-shot': true };
    const path = `${this.#root}/containers/${id}/stats`;
    return readStats(await this.#api.call('GET', path, { query }));
  }

  /** Creates a volume of the engine. @throws {ExpectedError} */
  async createVolume({ name, labels, tmpfs }: EngineVolume): Promise<void> {
    const options = tmpfs === undefined ? {} : { type: 'tmpfs', device: 'tmpfs', o: tmpfs };
    const body = { Name: name, Driver: 'local', Labels: labels, DriverOpts: options };
    await this.#api.call('POST', `${this.#root}/volumes/create`, { body });
  }

  /** Removes the volumes of the engine with a label. */
  async removeVolumes(label: string): Promise<void> {
    const query = { filters: JSON.stringify({ label: [label] }) };
    const { Volumes: all } = await this.#api.call('GET', `${this.#root}/volumes`, { query });
    for (const { Name: name } of all ?? []) {
      await this.#api.call('DELETE', `${this.#root}/volumes/${name}`, { query: { force: true } });
    }
  }

  /** Returns the bytes that volumes of the engine hold, by name. */
  async volumeSizes(): Promise<ReadonlyMap<string, number>> {
    const { Volumes: all } = await this.#api.call('GET', `${this.#root}/system/df`);
    const sizes = (all ?? []).map((one: { Name: string; UsageData?: { Size: number } }) => [
      one.Name,
      one.UsageData?.Size ?? 0,
    ]);
    return new Map(sizes);
  }

  /** Unpacks a tar in a container. */
  async unpack(id: string, path: string, tar: Buffer): Promise<void> {
    await this.#api.call('PUT', `${this.#root}/containers/${id}/archive`, { query: { path }, tar });
  }

  /** The version of Docker's API, as a number: 1.41. */
  get apiVersion(): number {
    const [major = 0, minor = 0] = this.#found.version.split('.').map(Number);
    return major + minor / 100;
  }

  /** Follows the exits of containers with a label, from `since` on; returns the function that stops. */
  followExits(label: string, since: Date, onExit: (exit: ExitEvent) => void): () => void {
    return followExits(this.#api, { engine: this.name, root: this.#root, label, since }, onExit);
  }

  /** The environment that the engine's command line needs to reach the same engine. */
  get clientEnvironment(): Readonly<Record<string, string>> {
    return this.name === 'docker' ? { DOCKER_HOST: `unix://${this.#found.socket}` } : {};
  }

  #command(args: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
    return command(this.name, args, { ...options, environment: this.clientEnvironment });
  }
}

/** Prefix of Podman's own API; versions 4 and 5 accept it. */
const LIBPOD = '/v4.0.0/libpod';

function check({ code, stderr }: CommandResult, what: string) {
  if (code !== 0) throw new ExpectedError(`${what} failed: ${lastLine(stderr)}`);
}

/** Shortens the engines' errors: Podman repeats the cause, with the kind of error at the end. */
function reason(message: string): string {
  return message.replace(/: OCI runtime (error|permission denied error)$/, '');
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
