import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { command, must } from './command.ts';
import type {
  ApplyOptions,
  ExecResult,
  HttpInit,
  HttpResult,
  PodStatus,
  Session,
  TestEngine,
} from './engine.ts';
import { BaseSession, request } from './session.ts';
import { PodWatch } from './watch.ts';

const POD = 'node_modules/.bin/pod';

/** The ports of 127.0.0.1 that lead to a Pod, as its record has them. */
interface Addresses {
  readonly forwards: readonly { readonly containerPort: number; readonly host: number }[];
  readonly services: readonly {
    readonly ports: readonly { readonly target: number; readonly host?: number }[];
  }[];
}

/** Runs Pods with the `pod` command on Docker or Podman. */
export class PodEngine implements TestEngine {
  readonly name: string;

  constructor(name: 'docker' | 'podman') {
    this.name = name;
  }

  async isolatesStorage(): Promise<boolean> {
    return true;
  }

  async apply(path: string, options: ApplyOptions = {}): Promise<Session> {
    const directory = mkdtempSync(join(tmpdir(), 'sidekit-pods-'));
    const session = new PodSession(path, directory, this.name, options);
    await session.up(path);
    return session;
  }
}

class PodSession extends BaseSession {
  readonly #path: string;
  readonly #directory: string;
  readonly #env: NodeJS.ProcessEnv;
  readonly #host: readonly string[];
  readonly #rootless: boolean;

  constructor(path: string, directory: string, engine: string, options: ApplyOptions) {
    super(path, options);
    // A manifest of the level "restricted" never needs it.
    this.#host = options.security === 'privileged' ? ['--allow-host'] : [];
    this.#path = path;
    this.#directory = directory;
    this.#rootless = engine === 'podman' && process.getuid?.() !== 0;
    this.#env = { ...process.env, SIDEKIT_POD_DIR: directory, POD_ENGINE: engine };
  }

  async up(file: string, input?: string) {
    // Whether the Pods become Ready or fail is for the test to say: only bad usage is an error.
    const args = ['up', file, '--timeout', '1ms', ...this.#host];
    const { code, stderr } = await this.#pod(args, input);
    if (code === 64) throw new Error(stderr);
  }

  async pods(): Promise<PodStatus[]> {
    return JSON.parse(await this.#must(['ps', '-o', 'json'])).items;
  }

  protected async readLog(name: string, container: string): Promise<string> {
    const pod = await this.podName(name);
    const { stdout, stderr } = await this.#pod(['logs', pod, '-c', container]);
    return stdout + stderr;
  }

  async allLogs(name: string): Promise<string> {
    const { stdout, stderr } = await this.#pod(['logs', await this.podName(name)]);
    return stdout + stderr;
  }

  watch(): PodWatch {
    return new PodWatch(POD, ['ps', '-o', 'json', '-w'], this.#env);
  }

  async http(name: string, port: number, path: string, init?: HttpInit): Promise<HttpResult> {
    const { metadata, status } = await this.status(name);
    const base = this.#rootless ? this.#forwarded(metadata.name, port) : `${status.podIP}:${port}`;
    return request(`http://${base}`, path, init);
  }

  /** This machine has no route to the Pods of rootless Podman: `up` prints an address for each port. */
  #forwarded(pod: string, port: number): string {
    const path = join(this.#directory, 'pods', pod, 'record.json');
    const { forwards, services }: Addresses = JSON.parse(readFileSync(path, 'utf8'));
    const all = [
      ...forwards.map(({ containerPort, host }) => ({ target: containerPort, host })),
      ...services.flatMap(({ ports }) => ports),
    ];
    const found = all.find(({ target, host }) => target === port && host !== undefined);
    if (!found) throw new Error(`no address of this machine leads to port ${port} of Pod ${pod}`);
    return `127.0.0.1:${found.host}`;
  }

  async exec(name: string, container: string, argv: readonly string[]): Promise<ExecResult> {
    return this.#pod(['exec', await this.podName(name), '-c', container, '--', ...argv]);
  }

  reapply(text: string): Promise<void> {
    return this.up('-', text);
  }

  async remove(name: string): Promise<void> {
    await this.#must(['down', await this.podName(name)]);
  }

  async evidence(): Promise<string> {
    const parts = [(await this.#pod(['ps'])).stdout];
    for (const { metadata } of await this.pods()) {
      parts.push((await this.#pod(['events', metadata.name])).stdout);
      const { stdout, stderr } = await this.#pod(['logs', metadata.name]);
      parts.push(stdout, stderr);
    }
    return `--- evidence for ${this.#path}\n${parts.join('\n')}`;
  }

  async delete(): Promise<void> {
    await this.#must(['down', '--all', '--grace-period', '1s']);
    rmSync(this.#directory, { recursive: true, force: true });
  }

  #pod(args: readonly string[], input?: string): Promise<ExecResult> {
    return command(POD, args, {
      env: this.#env,
      ...(input === undefined ? {} : { input }),
    });
  }

  #must(args: readonly string[]): Promise<string> {
    return must(POD, args, { env: this.#env });
  }
}
